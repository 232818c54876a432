import {
  cursor,
  defineContract,
  type Executed,
  mutation,
  query,
  RpcError,
  subscription,
  Tracked,
  tracked,
  type,
} from '@pairwire/contract'
import { describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { checkedEvents } from './checked-events.ts'
import { type AnyRouter, type ErrorReport, type Invocation, implement, type Router } from './index.ts'

const contract = defineContract({
  add: query({ input: z.object({ a: z.number(), b: z.number().default(1) }), output: z.number() }),
  late: query({ input: z.number().refine(async (n) => n > 0), output: z.number().refine(async (n) => n < 9) }),
  free: query({ input: type<unknown>(), output: type<unknown>() }),
  silent: mutation(),
  fails: mutation({
    input: type<() => never>(),
    errors: {
      MUTED: z.object({ until: z.coerce.date<string>() }),
      CLOSED: null,
      LATER: z.number().refine(async () => true),
    },
  }),
  files: { upload: mutation({ inputStream: z.number(), output: z.number() }) },
})

const router = implement(contract).handlers({
  add: ({ input }) => input.a + input.b,
  late: ({ input }) => input,
  free: ({ input }) => input,
  silent: ({ input }) => input,
  fails: ({ input }) => input(),
  files: {
    upload: async ({ stream }) => {
      let sum = 0
      for await (const n of stream) sum += n
      return sum
    },
  },
})

const { signal } = new AbortController()

/** Runs a call, and keeps what is reported. */
const start = (router: AnyRouter, path: string, call: Partial<Invocation> = {}) => {
  const reports: ErrorReport[] = []
  const entry = router.find(path)
  if (!entry) throw new Error(`no ${path}`)
  const onError = (report: ErrorReport) => reports.push(report)
  const run = () => router.run(entry, { input: undefined, ctx: {}, signal, onError, ...call })
  const events = () => checkedEvents(entry, { onError }, run() as AsyncIterable<unknown>)
  return { run, events, reports }
}

const failing = async (thrown: () => never) => {
  const { run, reports } = start(router, 'fails', { input: thrown })
  const error = await (async () => run())().then(
    () => expect.unreachable(),
    (error: RpcError<string, { id: string }>) => error,
  )
  expect(error).toBeInstanceOf(RpcError)
  return { error, reports }
}

describe('find', () => {
  it('knows the procedures by their paths, and nothing else', () => {
    expect(router.find('add')).toMatchObject({
      path: 'add',
      kind: 'query',
      takesStream: false,
      procedure: contract.add,
    })
    expect(router.find('files.upload')).toMatchObject({ path: 'files.upload', kind: 'mutation', takesStream: true })
    for (const path of ['', 'files', 'files.', '.add', 'then', '__proto__', 'constructor', 'add.constructor', 'find']) {
      expect(router.find(path)).toBeUndefined()
    }
  })
})

describe('run', () => {
  it('returns a plain value where nothing has to be waited for', () => {
    expect(start(router, 'add', { input: { a: 1 } }).run()).toBe(2)
  })

  it('returns a promise where a schema, a middleware or a handler waits', async () => {
    const late = start(router, 'late', { input: 1 }).run()
    expect(late).toBeInstanceOf(Promise)
    expect(await late).toBe(1)
  })

  it('gives the handler what the schema made of the input, and unchecked what only has a type', () => {
    const value = { at: new Date() }
    expect(start(router, 'free', { input: value }).run()).toBe(value)
  })

  it('passes nothing that the contract does not describe', () => {
    expect(start(router, 'silent', { input: 'smuggled' }).run()).toBeUndefined()
    const leaky = implement(defineContract({ silent: mutation() })).handlers({ silent: (() => 'secret') as () => void })
    expect(start(leaky, 'silent').run()).toBeUndefined()
  })

  it('refuses invalid input with its issues, before anything ran', async () => {
    const error = { code: 'INVALID_ARGUMENT', executed: 'no', data: { issues: [{ path: ['a'] }] } }
    const { run, reports } = start(router, 'add', { input: { a: 'one' } })
    expect(run).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no' }))
    await expect((async () => run())()).rejects.toMatchObject(error)
    await expect(start(router, 'late', { input: -1 }).run()).rejects.toMatchObject({ ...error, data: { issues: [{}] } })
    expect(reports).toEqual([])
  })

  it('hides invalid output, synchronous or not', async () => {
    const broken = implement(defineContract({ a: contract.add, l: contract.late })).handlers({
      a: () => 'secret' as never,
      l: async () => 10,
    })
    for (const { run, reports } of [start(broken, 'a', { input: { a: 1 } }), start(broken, 'l', { input: 1 })]) {
      await expect((async () => run())()).rejects.toMatchObject({ code: 'INTERNAL', executed: 'yes' })
      expect(reports).toHaveLength(1)
      expect(String(reports[0]?.error)).toContain('Invalid output')
    }
  })

  it('reads the signal only when the handler does', () => {
    const read = vi.fn(() => signal)
    const lazy = {
      get signal() {
        return read()
      },
    }
    const reads = implement(
      defineContract({ a: query({ output: type<unknown>() }), b: query({ output: type<unknown>() }) }),
    ).handlers({
      a: ({ input, ctx, path, metadata }) => [input, ctx, path, metadata],
      b: ({ signal }) => signal.aborted,
    })
    const open = (path: string) => {
      const entry = reads.find(path)
      return (
        entry &&
        reads.run(
          entry,
          Object.assign(Object.create(lazy, Object.getOwnPropertyDescriptors(lazy)), { input: 1, ctx: 2 }),
        )
      )
    }
    expect(open('a')).toEqual([undefined, 2, 'a', {}])
    expect(read).not.toHaveBeenCalled()
    expect(open('b')).toBe(false)
    expect(read).toHaveBeenCalledOnce()
  })

  it('tells the handler all that is known of the call', () => {
    const meta = { auth: true }
    const one = implement(defineContract({ deep: { one: query({ output: type<unknown>(), meta }) } })).handlers({
      deep: {
        one: ({ deadline, lastEventId, metadata, client, meta, path }) => ({
          deadline,
          lastEventId,
          metadata,
          client,
          meta,
          path,
        }),
      },
    })
    const known = { deadline: 5, lastEventId: '7', metadata: { a: 'b' }, client: {} }
    expect(start(one, 'deep.one', known).run()).toEqual({ ...known, meta, path: 'deep.one' })
  })
})

describe('a thrown error', () => {
  it('passes with a standard code, and says that the handler ran', async () => {
    const { error, reports } = await failing(() => {
      throw new RpcError('NOT_FOUND', 'No such room', { data: { room: 1 }, retryAfter: 10 })
    })
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      message: 'No such room',
      data: { room: 1 },
      retryAfter: 10,
      executed: 'yes',
    })
    expect(reports).toEqual([])
  })

  it('may say itself whether the handler ran', async () => {
    const executed: Executed = 'no'
    const { error } = await failing(() => {
      throw new RpcError('ABORTED', undefined, { executed })
    })
    expect(error.executed).toBe('no')
  })

  it('passes if it is declared, with its data as the schema makes it', async () => {
    const muted = await failing(() => {
      throw new RpcError('MUTED', undefined, { data: { until: '2026-01-01', secret: 1 } })
    })
    expect(muted.error).toMatchObject({ code: 'MUTED', executed: 'yes' })
    expect(muted.error.data).toEqual({ until: new Date('2026-01-01') })
    const closed = await failing(() => {
      throw new RpcError('CLOSED', 'Closed', { data: 'not declared' })
    })
    expect(closed.error).toMatchObject({ code: 'CLOSED', message: 'Closed', data: undefined })
    const later = await failing(() => {
      throw new RpcError('LATER', undefined, { data: 1 })
    })
    expect(later.error).toMatchObject({ code: 'LATER', data: 1 })
  })

  it.each<[string, () => unknown]>([
    ['an error', () => new Error('secret')],
    ['a string', () => 'secret'],
    ['null', () => null],
    ['undefined', () => undefined],
    ['a thenable', () => ({ then: () => expect.unreachable() })],
    ['an undeclared code', () => new RpcError('SECRET', 'secret')],
    ['the name of an object’s own method as code', () => new RpcError('constructor', 'secret')],
    ['a declared code with other data', () => new RpcError('MUTED', 'secret', { data: { until: 'secret' } })],
    ['an error of another peer', () => new RpcError('NOT_FOUND', 'secret', { remote: true })],
    ['a proxy that throws at every touch', () => new Proxy({}, hostile)],
    ['an RpcError whose getters throw', () => Object.defineProperty(new RpcError('ABORTED'), 'message', { get: boom })],
  ])('is hidden and reported if it is %s', async (_, make) => {
    const thrown = make()
    const { error, reports } = await failing(() => {
      throw thrown
    })
    expect(error).toMatchObject({
      code: 'INTERNAL',
      executed: 'yes',
      data: { id: expect.stringMatching(/^[\w-]{12}$/) },
    })
    expect(error.message).toBe(`Internal error (${error.data.id})`)
    expect(Object.hasOwn(error, 'cause')).toBe(false)
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatchObject({ id: error.data.id, path: 'fails', kind: 'mutation' })
    if (reports[0]?.error !== thrown) expect(String(reports[0]?.error)).toContain('does not match its schema')
  })

  it('goes to the console if nobody asked for reports', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    const thrown = new Error('secret')
    const entry = router.find('fails')
    const fail = () => {
      throw thrown
    }
    expect(() => entry && router.run(entry, { input: fail, ctx: {}, signal })).toThrow('Internal error')
    expect(log).toHaveBeenCalledWith(expect.stringMatching(/^Internal error \([\w-]{12}\) in fails:$/), thrown)
    log.mockRestore()
  })

  it.each<[string, () => unknown]>([
    ['throws', boom],
    ['rejects', () => Promise.reject(new Error('reporter'))],
  ])('is hidden as well if the reporter %s', (_, onError) => {
    expect(start(router, 'fails', { input: boom, onError }).run).toThrow('Internal error')
  })
})

describe('an input stream', () => {
  const upload = (...items: unknown[]) => {
    const left = vi.fn()
    const stream = async function* () {
      try {
        yield* items
      } finally {
        left()
      }
    }
    return { ...start(router, 'files.upload', { stream: stream() }), left }
  }

  it('is checked item by item as it is pulled', async () => {
    expect(await upload(1, 2, 3).run()).toBe(6)
  })

  it('throws a bad item into the loop, which ends the stream and the call', async () => {
    const { run, left, reports } = upload(1, 'two', 3)
    await expect(run()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', executed: 'yes', data: { issues: [{}] } })
    expect(left).toHaveBeenCalledOnce()
    expect(reports).toEqual([])
  })

  it('is missed before anything ran', () => {
    expect(start(router, 'files.upload').run).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no' }),
    )
  })

  it('is left when the handler leaves its loop', async () => {
    const left = vi.fn()
    const takes = implement(contract.files).handlers({
      upload: async ({ stream }) => {
        for await (const n of stream) return n
        return 0
      },
    })
    const stream = async function* () {
      try {
        yield 1
        yield 2
      } finally {
        left()
      }
    }
    expect(await start(takes, 'upload', { stream: stream() }).run()).toBe(1)
    expect(left).toHaveBeenCalledOnce()
  })
})

describe('a subscription', () => {
  const ticks = defineContract({ ticks: subscription({ output: z.object({ n: z.number() }) }) })
  const left = vi.fn()
  const of = (...events: unknown[]) =>
    implement(ticks).handlers({
      ticks: async function* () {
        left.mockClear()
        try {
          for (const event of events) {
            if (event instanceof Error) throw event
            yield event as never
          }
        } finally {
          left()
        }
      },
    })
  const open = (router: Router<typeof ticks>) => {
    const { events, reports } = start(router, 'ticks')
    return { events: events(), reports }
  }

  it('checks events one by one and keeps their ids', async () => {
    const { events } = open(of({ n: 1, extra: true }, tracked('a', { n: 2, extra: true })))
    expect(await events.next()).toEqual({ done: false, value: { n: 1 } })
    expect(await events.next()).toEqual({ done: false, value: tracked('a', { n: 2 }) })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('runs the generator’s finally when its reader leaves', async () => {
    const { events } = open(of({ n: 1 }, { n: 2 }))
    await events.next()
    expect(left).not.toHaveBeenCalled()
    expect(await events.return?.()).toEqual({ done: true, value: undefined })
    expect(left).toHaveBeenCalledOnce()
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('ends with a hidden error at an event that is invalid', async () => {
    const { events, reports } = open(of({ n: 1 }, { n: 'two' }, { n: 3 }))
    await events.next()
    await expect(events.next()).rejects.toMatchObject({ code: 'INTERNAL', executed: 'yes' })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(left).toHaveBeenCalledOnce()
    expect(reports).toHaveLength(1)
  })

  it('ends with what its generator throws, masked like any error', async () => {
    const { events } = open(of(new RpcError('UNAVAILABLE')))
    await expect(events.next()).rejects.toMatchObject({ code: 'UNAVAILABLE', executed: 'yes' })
    const other = open(of(new Error('secret')))
    await expect(other.events.next()).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(other.reports).toHaveLength(1)
  })

  it('reports a finally that throws, and does not trouble the reader who left', async () => {
    const broken = implement(ticks).handlers({
      ticks: async function* () {
        try {
          yield { n: 1 }
        } finally {
          boom()
        }
      },
    })
    const { events, reports } = open(broken)
    await events.next()
    expect(await events.return?.()).toEqual({ done: true, value: undefined })
    expect(reports).toHaveLength(1)
  })

  it('takes any async iterable, or a promise of one, and nothing else', async () => {
    const source = (async function* () {
      yield { n: 1 }
    })()
    const late = start(implement(ticks).handlers({ ticks: async () => source }), 'ticks').run() as Promise<
      AsyncIterable<unknown>
    >
    expect(await (await late)[Symbol.asyncIterator]().next()).toEqual({ done: false, value: { n: 1 } })
    const none = start(implement(ticks).handlers({ ticks: () => [{ n: 1 }] as never }), 'ticks')
    expect(none.run).toThrow('Internal error')
    expect(String(none.reports[0]?.error)).toContain('has to return an async iterable')
  })
})

describe('where a subscriber stands', () => {
  const ticks = defineContract({ ticks: subscription({ output: z.object({ n: z.number() }) }) })
  type Events = AsyncIterable<unknown>
  const open = (events: () => unknown) => start(implement(ticks).handlers({ ticks: events as never }), 'ticks')
  const all = async (events: Events) => {
    const seen: unknown[] = []
    for await (const event of events) seen.push(event)
    return seen
  }
  it('passes unchecked, as there is no event to check', async () => {
    const { events } = open(async function* () {
      yield cursor('e.0')
      yield { n: 1 }
      yield cursor('e.2')
    })
    expect(await all(events())).toEqual([cursor('e.0'), { n: 1 }, cursor('e.2')])
  })

  it('passes nothing but its id', async () => {
    const { events } = open(async function* () {
      yield new Tracked('e.0', 'secret', true)
    })
    expect(await all(events())).toEqual([cursor('e.0')])
  })

  it('is a string, as is the id of an event', async () => {
    for (const event of [cursor(1 as never), tracked(1 as never, { n: 1 })]) {
      const { events, reports } = open(async function* () {
        yield event
      })
      await expect(all(events())).rejects.toMatchObject({ code: 'INTERNAL' })
      expect(reports[0]?.error).toBeInstanceOf(TypeError)
    }
  })
})

const boom = (): never => {
  throw new Error('boom')
}
const hostile = Object.fromEntries(Reflect.ownKeys(Reflect).map((trap) => [trap, boom]))
