import { createServer } from '@pairwire/server'
import { listen } from '@pairwire/server/node'
import { router } from './router.ts'

export const server = createServer(router, { context: () => ({ user: { name: 'someone' } }) })
export const start = () => listen(server, { port: 0 })
