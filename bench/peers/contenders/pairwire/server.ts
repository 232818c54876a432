import { createServer } from '@pairwire/server'
import { createRouter } from './router.ts'

export const create = () => createServer(createRouter())
