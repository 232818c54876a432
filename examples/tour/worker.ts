import { createServer, implement } from '@pairwire/server'
import type { Bakery } from './bakery.ts'
import { tour, type Visit, visitor } from './contract.ts'
import { upload } from './upload.ts'

interface Context {
  token: string
  purse: { coins: number }
  visit: Visit
}

const router = implement(tour)
  .client(visitor)
  .context<Context>()
  .handlers({
    add: ({ input }) => input.a + input.b,
    whoAmI: ({ ctx }) => ctx.token,
    mirror: ({ input }) => input,

    spend: ({ input, ctx: { purse }, errors }) => {
      if (input.coins > purse.coins) throw errors.BROKE({ missing: input.coins - purse.coins })
      purse.coins -= input.coins
      return { left: purse.coins }
    },

    countdown: async function* ({ input }) {
      for (let n = input.from; n > 0; n--) yield n
    },
    numbers: async function* ({ ctx: { visit } }) {
      try {
        // Without an end: it stands still while its reader does, and ends with its reader.
        for (let n = 1; ; n++) yield n
      } finally {
        visit.left++
      }
    },
    files: { upload: ({ input, stream }) => upload(input.name, stream) },
    shout: async function* ({ stream }) {
      for await (const line of stream) yield `${line.toUpperCase()}!`
    },

    introduce: async ({ client }) => `This is ${await client.name({ greeting: 'Who is there?' })}.`,

    // Ends only when its caller stops waiting for it.
    wait: ({ ctx: { visit }, signal, deadline }) =>
      new Promise<void>((_, reject) => {
        visit.waiting++
        visit.remaining = deadline && deadline - Date.now()
        signal.addEventListener('abort', () => {
          visit.waiting--
          visit.stopped++
          reject(signal.reason)
        })
      }),
    visit: ({ ctx }) => ctx.visit,

    // What these do ends with their socket: nobody else may wait for it here. See bakery.ts for one that goes on.
    bake: () => scheduler.wait(100).then(() => ({ loaf: 1 })),
    preheat: ({ input }) => scheduler.wait(100).then(() => ({ degrees: input.to })),
  })
export type Router = typeof router

const server = createServer(router, {
  authenticate: ({ params }: { params: unknown }) => ({
    token: String((params as { token?: unknown } | undefined)?.token ?? 'nobody'),
  }),
  // Once per connection: what it holds is that connection's own.
  context: ({ identity }): Context => ({
    ...identity,
    purse: { coins: 10 },
    visit: { waiting: 0, stopped: 0, remaining: undefined, left: 0 },
  }),
})

interface Env {
  BAKERIES: DurableObjectNamespace<Bakery>
}

export { Bakery } from './bakery.ts'
export default {
  fetch(request, { BAKERIES }) {
    const { pathname } = new URL(request.url)
    return pathname.startsWith('/bakeries/') ? BAKERIES.getByName(pathname).fetch(request) : server.fetch(request)
  },
} satisfies ExportedHandler<Env>
