import { createServer, implement } from '@pairwire/server'
import { counter } from './contract.ts'

const router = implement(counter)
  .context<{ clicks: { count: number } }>()
  .handlers({
    click: ({ ctx }) => ({ count: ++ctx.clicks.count, at: new Date() }),
    clock: async function* ({ signal }) {
      while (!signal.aborted) {
        yield new Date()
        // Rejects as soon as nobody listens any more, which is no error: the loop ends then.
        await scheduler.wait(1_000 - (Date.now() % 1_000), { signal }).catch(() => {})
      }
    },
  })
export type Router = typeof router

// The context is made once per connection, and so is its count: see README.md for one count that all share.
const server = createServer(router, { context: () => ({ clicks: { count: 0 } }) })

export default {
  // The page's files are found before the Worker is asked (`assets` in wrangler.json): they never come here.
  fetch: (request) =>
    new URL(request.url).pathname === '/rpc' ? server.fetch(request) : new Response('Not found\n', { status: 404 }),
} satisfies ExportedHandler
