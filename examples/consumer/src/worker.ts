import { createServer } from '@pairwire/server'
import { router } from './router.ts'

interface Env {
  SECRET: string
}

export const server = createServer(router, {
  origins: ['https://chat.example'],
  authenticate: ({ params, env }: { params: unknown; env: Env }) => ({ name: `${params}`, secret: env.SECRET }),
  context: ({ identity }) => ({ user: { name: identity.name } }),
})

export const caller = router.caller({ user: { name: 'the worker itself' } })

export default { fetch: server.fetch } satisfies ExportedHandler<Env>
