import { implement, memoryTopic, RpcError, type Topic, tracked } from '@pairwire/server'
import { clientContract, contract } from './contract.ts'

const notes = new Map<string, unknown[]>()
const note = (key: string, value: unknown) => {
  const list = notes.get(key)
  if (list) list.push(value)
  else notes.set(key, [value])
}
const reports = new Map<string, { path: string; error: string }>()
/** The servers' `onError`: remembers, for `witness.report`. */
export const remember = ({ id, path, error }: { id: string; path: string; error: unknown }): void => {
  let text = 'unprintable'
  try {
    text = String(error)
  } catch {}
  reports.set(id, { path, error: text })
  if (path === 'throws.unreported') throw new Error('onError itself fails')
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
const codeOf = (error: unknown) => (error instanceof RpcError ? error.code : String(error))

// Made at the first call: a Worker cannot make one at its module scope.
const topics = new Map<string, Topic<string>>()
const topicOf = (key: string): Topic<string> => {
  const topic = topics.get(key) ?? memoryTopic<string>()
  topics.set(key, topic)
  return topic
}

class Secret {
  secret = 'classified'
}
const circular: Record<string, unknown> = {}
circular.self = circular
const nest = (levels: number): unknown => (levels ? [nest(levels - 1)] : 0)
const hostile = new Proxy(() => {}, {
  get() {
    throw new Error('classified')
  },
  getPrototypeOf() {
    throw new Error('classified')
  },
})
const odd: Record<string, () => unknown> = {
  function: () => () => {},
  symbol: () => Symbol('classified'),
  instance: () => ({ list: [new Secret()] }),
  promise: () => [Promise.resolve(1)],
  circular: () => circular,
  deep: () => nest(70),
  large: () => 'x'.repeat(1_100_000),
  bytes: () => new Uint8Array(1_100_000),
  hostile: () => [hostile],
}
const thrown: Record<string, () => unknown> = {
  error: () => new Error('classified'),
  string: () => 'classified',
  null: () => null,
  undefined: () => undefined,
  undeclared: () => new RpcError('MADE_UP', 'classified', { data: { secret: 'classified' } }),
  remote: () => new RpcError('NOT_FOUND', 'classified', { remote: true }),
  hostile: () => hostile,
  frozen: () => Object.freeze(new Error('classified')),
  prototype: () => new RpcError('__proto__', 'classified'),
  constructor: () => new RpcError('constructor', 'classified'),
}

export const router = implement(contract)
  .context<{ name: string; env: unknown }>()
  .client(clientContract)
  .use(({ ctx, next }) => next({ ctx: { trail: [`first:${ctx.name}`] } }))
  .use(({ ctx, path, meta, next }) =>
    next({ ctx: { trail: [...ctx.trail, `second:${path}:${(meta as { level?: number }).level ?? 0}`] } }),
  )
  .handlers({
    add: ({ input }) => input.a + input.b,
    echo: ({ input }) => input,
    nothing: () => {},
    order({ input }) {
      note(input.key, input.n)
      return input.n
    },
    async sleep({ input }) {
      await sleep(input)
      return 'slept'
    },
    async wait({ input, signal }) {
      note(input, 'started')
      await aborted(signal)
      note(input, codeOf(signal.reason))
      throw signal.reason
    },
    async late({ input, signal }) {
      await aborted(signal)
      note(input, codeOf(signal.reason))
      return 'too late'
    },
    deadline: ({ deadline }) => deadline && deadline - Date.now(),
    metadata: ({ metadata }) => metadata,
    throws: {
      declared: ({ errors }) => {
        throw errors.MUTED({ until: new Date(5) }, 'Muted for now', { retryAfter: 7 })
      },
      empty: ({ errors }) => {
        throw errors.CLOSED()
      },
      wrong: ({ errors }) => {
        throw errors.MUTED({ until: 'classified' as never })
      },
      standard: ({ input }) => {
        throw new RpcError(input, 'Said by the handler', { data: { at: new Date(6) } })
      },
      anything: ({ input }) => {
        throw thrown[input]?.()
      },
      async *inStream({ input }) {
        yield 1
        throw thrown[input]?.()
      },
      async *inFinally({ input }) {
        try {
          yield 1
          await sleep(60_000)
        } finally {
          note(input, 'left')
          // biome-ignore lint/correctness/noUnsafeFinally: this is what is tested
          throw new Error('classified')
        }
      },
      unreported: () => {
        throw new Error('classified')
      },
    },
    outputs: {
      invalid: () => 5 as never,
      odd: ({ input }) => odd[input]?.(),
      async *oddEvent({ input }) {
        yield 'fine'
        yield odd[input]?.()
      },
      text: ({ input }) => 'x'.repeat(input),
    },
    async *count({ input }) {
      for (let i = 0; i < input; i++) yield i
    },
    async *blocks({ input: { key, size, n } }) {
      for (let i = 0; i < n; i++) {
        note(key, i)
        yield 'x'.repeat(size)
      }
    },
    async *open({ input, signal }) {
      try {
        yield 1
        await aborted(signal)
      } finally {
        note(input, 'finally')
      }
    },
    async *topic({ input, signal }) {
      try {
        yield* topicOf(input).subscribe({ signal })
      } finally {
        note(input, 'finally')
      }
    },
    publish({ input }) {
      topicOf(input.key).publish(input.text)
    },
    async *tracked() {
      yield tracked('a.1', 'one')
      yield tracked('a.2', undefined)
      yield tracked('a.3', new Date(3))
      yield 'plain'
    },
    async *resumed({ lastEventId }) {
      yield lastEventId
    },
    async upload({ input, stream }) {
      let total = 0
      for await (const chunk of stream) total += chunk.length
      note(input, total)
      return total
    },
    async stall({ input, stream, signal }) {
      for await (const _ of stream) {
        note(input, 'first')
        await aborted(signal)
        break
      }
      return 'stalled'
    },
    async first({ stream }) {
      for await (const item of stream) return item
      return undefined
    },
    async *talk({ stream }) {
      for await (const line of stream) yield line.toUpperCase()
    },
    deep: { er: { still: ({ input, meta, path }) => `${input} ${path} ${meta.level}` } },
    context: ({ ctx }) => ctx,
    ask: {
      name: async ({ input, client }) => `asked ${await client.name(input)}`,
      async code({ input: { path, timeout }, client }) {
        try {
          const procedures = client as unknown as Record<string, (i?: unknown, o?: unknown) => PromiseLike<unknown>>
          return { value: await procedures[path]!('x', timeout === undefined ? undefined : { timeout }) }
        } catch (error) {
          const { code, data, executed } = error as RpcError
          return { code, data, executed }
        }
      },
      async cancel({ input, client }) {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), 30)
        return Promise.resolve(client.waits(input, { signal: controller.signal })).catch(codeOf)
      },
      async events({ input, client }) {
        const got: number[] = []
        for await (const n of client.events(input)) got.push(n)
        return got
      },
      async left({ input, client }) {
        note(input, 'asking')
        note(input, await Promise.resolve(client.waits(input)).catch(codeOf))
      },
    },
    witness: {
      of: ({ input }) => notes.get(input) ?? [],
      report: ({ input }) => reports.get(input),
    },
  })

export type TestRouter = typeof router
