import {
  type Client,
  cursor,
  defineContract,
  mutation,
  query,
  RpcError,
  subscription,
  tracked,
  type,
} from '@pairwire/contract'
import * as z from 'zod'
import { expectType } from './expect-type.test-d.ts'
import { defineMiddleware, implement, type MiddlewareCall, type Router } from './index.ts'

const Message = z.object({ id: z.string(), at: z.coerce.date<string>() })
const chat = defineContract({
  history: query({
    input: z.object({ limit: z.number().default(10) }),
    output: z.array(Message),
    meta: { auth: true },
  }),
  post: mutation({
    input: z.object({ text: z.string() }),
    output: Message,
    errors: { MUTED: z.object({ until: z.date() }), CLOSED: null },
  }),
  touch: mutation(),
  messages: subscription({ output: Message }),
  files: {
    upload: mutation({ input: z.string(), inputStream: z.instanceof(Uint8Array), output: type<number>() }),
    find: query({ input: z.string().optional(), output: z.string() }),
  },
})
const page = defineContract({ reload: mutation({ input: z.string() }) })
interface User {
  name: string
}

const router = implement(chat)
  .context<{ user: User }>()
  .client(page)
  .use(({ ctx, next, meta, input }) => {
    expectType<{ user: User }>()(ctx)
    expectType<boolean | undefined>()(meta.auth)
    expectType<unknown>()(input)
    return next({ ctx: { role: 'owner' as const } })
  })
  .use(async ({ ctx, next }) => {
    expectType<'owner'>()(ctx.role)
    return await next()
  })
  .use(({ ctx, next }) => (ctx.role ? next({ ctx: { later: 1 } }) : 'ended early'))
  .handlers({
    history: ({ input, ctx, meta, stream }) => {
      expectType<{ limit: number }>()(input)
      expectType<{ user: User } & { role: 'owner' } & { later: number }>()(ctx)
      expectType<{ auth: boolean }>()(meta)
      expectType<undefined>()(stream)
      return [{ id: ctx.user.name, at: '2026-01-01' }]
    },
    post: async ({ input, errors, client, signal }) => {
      expectType<{ text: string }>()(input)
      expectType<Client<typeof page>>()(client)
      await client.reload('now', { signal })
      expectType<RpcError<'MUTED', { until: Date }>>()(errors.MUTED({ until: new Date() }))
      expectType<RpcError<'CLOSED', undefined>>()(errors.CLOSED('closed'))
      // @ts-expect-error data is required
      errors.MUTED()
      // @ts-expect-error not declared
      errors.OTHER
      return { id: input.text, at: '' }
    },
    touch: ({ input }) => {
      expectType<undefined>()(input)
    },
    messages: async function* ({ lastEventId }) {
      expectType<string | undefined>()(lastEventId)
      yield cursor('0')
      yield tracked('1', { id: '', at: '' })
      yield { id: '', at: '' }
    },
    files: {
      upload: async ({ stream }) => {
        let size = 0
        for await (const chunk of stream) size += chunk.byteLength
        return size
      },
      find: ({ input }) => {
        expectType<string | undefined>()(input)
        return input ?? ''
      },
    },
  })

expectType<Router<typeof chat, { user: User }, typeof page>>()(router)
const caller = router.caller({ user: { name: '' } })
expectType<Client<typeof chat>>()(caller)
// @ts-expect-error the context is not complete
router.caller({})

const one = defineContract({ one: query({ output: z.string() }), two: query({ output: z.string() }) })
implement(one).handlers({ one: () => '', two: async () => '' })
// @ts-expect-error two has no handler
implement(one).handlers({ one: () => '' })
// @ts-expect-error three is no procedure
implement(one).handlers({ one: () => '', two: () => '', three: () => '' })
// @ts-expect-error a number is no output
implement(one).handlers({ one: () => 1, two: () => '' })
const silent = defineContract({ one: mutation() })
// @ts-expect-error there is no output
implement(silent).handlers({ one: () => 1 })
const events = defineContract({ one: subscription({ output: z.string() }) })
// @ts-expect-error not an iterable
implement(events).handlers({ one: () => '' })
// Where a subscriber stands is no event, and goes with events of every type.
implement(events).handlers({
  one: async function* () {
    yield cursor('0')
  },
})
const tick = defineContract({ one: subscription() })
implement(tick).handlers({
  one: async function* () {
    yield cursor('0')
    yield
  },
})
implement(events).handlers({
  // @ts-expect-error not the event
  one: async function* () {
    yield cursor('0')
    yield tracked('1', 1)
  },
})
declare const numbers: AsyncIterable<number>
// @ts-expect-error not the events
implement(events).handlers({ one: () => numbers })

// A router may stand for a namespace.
const outer = defineContract({ files: chat.files, ping: query() })
const auth = defineMiddleware(async ({ ctx, next }: MiddlewareCall<{ token: string }>) =>
  next({ ctx: { user: { name: ctx.token } } }),
)
const files = implement(chat.files)
  .context<{ user: User }>()
  .handlers({ upload: () => 1, find: ({ ctx }) => ctx.user.name })
implement(outer)
  .context<{ token: string }>()
  .use(auth)
  .handlers({ files, ping: ({ ctx }) => void ctx.user.name })
const withToken = implement(outer).context<{ token: string }>()
// @ts-expect-error nobody adds the user
withToken.handlers({ files, ping: () => {} })
// @ts-expect-error the middleware wants a token
implement(outer).use(auth)
const withUser = implement(outer).context<{ user: User }>()
withUser.handlers({ files, ping: () => {} })
// @ts-expect-error another contract's router
withUser.handlers({ files: router, ping: () => {} })

const silentMiddleware = defineMiddleware(({ next, path, meta }) => {
  expectType<string>()(path)
  expectType<unknown>()(meta.anything)
  return next()
})
implement(outer)
  .context<{ a: 1 }>()
  .use(silentMiddleware)
  .handlers({
    files: { upload: ({ ctx }) => ctx.a, find: () => '' },
    ping: ({ ctx }) => expectType<{ a: 1 }>()(ctx),
  })

// A later key replaces an earlier one.
implement(silent)
  .context<{ user: User | undefined; a: 1 }>()
  .use(({ ctx, next }) => {
    if (!ctx.user) throw new RpcError('UNAUTHENTICATED')
    return next({ ctx: { user: ctx.user } })
  })
  .handlers({ one: ({ ctx }) => expectType<User>()(ctx.user) })
