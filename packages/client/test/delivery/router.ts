import { cursor, implement, RpcError, tracked } from '@pairwire/server'
import { contract, type Snapshot, type Task } from './contract.ts'
import type { State } from './state.ts'

/** What handlers know of who calls. */
export interface Ctx {
  user: string
  role: string
  /** Counts how often a context was made. */
  turn: number
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason))
  })

interface Call {
  input: Task
  path: string
  signal: AbortSignal
}

/** A router of its own for each server; what its handlers see goes into the state, which outlives servers. */
export const createRouter = (state: State) => {
  const run = async ({ input, path, signal }: Call, read?: () => Promise<string>) => {
    const { key, hold, deaf, fails, size = 0 } = input
    const run = state.begin(key, path, signal)
    const n = state.runs(key).length
    try {
      const text = (await read?.()) ?? ''
      if (hold) await (deaf ? state.gate(key) : Promise.race([state.gate(key), aborted(signal)]))
      if (fails) throw new RpcError('BROKEN', 'as asked', { data: { run: n } })
      return `${text}${key} run ${n}${'x'.repeat(size)}`
    } finally {
      run.ended = true
    }
  }
  const upload = (call: Call & { stream: AsyncIterable<string> }) =>
    run(call, async () => {
      let text = ''
      for await (const item of call.stream) text += `${item} `
      return text
    })
  const events = async function* (topic: string, path: string, signal: AbortSignal, lastEventId?: string) {
    const run = state.begin(topic, path, signal, lastEventId)
    try {
      const events = state.topic(topic).subscribe({ lastEventId, signal })
      if (events.cursor) yield cursor(events.cursor)
      yield* events
    } finally {
      run.ended = true
    }
  }

  return implement(contract)
    .context<Ctx>()
    .use(({ ctx, meta, next }) => {
      if ((meta as { admin?: boolean }).admin && ctx.role !== 'admin')
        throw new RpcError('PERMISSION_DENIED', 'for admins only')
      return next()
    })
    .handlers({
      query: (call) => run(call),
      plain: (call) => run(call),
      idempotent: (call) => run(call),
      once: (call) => run(call),
      otherOnce: (call) => run(call),
      upload,
      uploadIdempotent: upload,
      uploadOnce: upload,
      events: ({ input, path, signal, lastEventId }) => events(input, path, signal, lastEventId),
      async *noisy({ input, path, signal, lastEventId }) {
        for await (const event of events(input, path, signal, lastEventId)) {
          yield event
          if (!event.bare) yield 'noise'
        }
      },
      async *untracked({ input, path, signal }) {
        state.begin(input, path, signal)
        yield state.runs(input).length
        for await (const { data } of state.topic(input).subscribe({ signal })) yield data
      },
      async *items({ input, path, signal, lastEventId }) {
        state.begin(input, path, signal, lastEventId)
        const topic = state.topic(input)
        let items: number[] | undefined
        const snapshot = async () => {
          // What is published from here on has to follow, though the state is read later.
          await new Promise((resolve) => setTimeout(resolve, 2))
          items = [...state.items(input)]
          return -1
        }
        for await (const { id, data } of topic.subscribe({ lastEventId, signal, snapshot })) {
          const said: Snapshot = data === -1 ? { kind: 'all', items: items ?? [] } : { kind: 'add', items: [data] }
          yield tracked(id, said)
        }
      },
      async *some({ input: { topic, n }, path, signal, lastEventId }) {
        const run = state.begin(topic, path, signal, lastEventId)
        try {
          const events = state.topic(topic).subscribe({ lastEventId, signal })
          if (events.cursor) yield cursor(events.cursor)
          for await (const event of events) {
            if (event.data > n) return
            yield event
            if (event.data === n) return
          }
        } finally {
          run.ended = true
        }
      },
      async *talk({ input, path, signal, stream }) {
        state.begin(input, path, signal)
        for await (const line of stream) yield line.toUpperCase()
      },
      who: ({ ctx }) => ctx,
      secret: ({ input, path, signal, lastEventId }) => events(input, path, signal, lastEventId),
      secretTask: (call) => run(call),
      secretMutation: (call) => run(call),
    })
}

export type DeliveryRouter = ReturnType<typeof createRouter>
