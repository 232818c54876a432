import { RpcError, type RpcErrorOptions } from '@pairwire/contract'
import { createRichCodec, richTypes } from '@pairwire/wire'
import { expect, it, vi } from 'vitest'
import type { CallLedger, LedgerOutcome, LedgerRecord } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'
import { createOnce, type Once } from './once.ts'

const codec = createRichCodec(8, richTypes)

/** A ledger as somebody may write it for a store at the other end of a network. */
const remote = (inner: CallLedger, durable = true): CallLedger => ({
  durable,
  claim: async (key, input) => inner.claim(key, input),
  settle: async (key, outcome) => inner.settle(key, outcome),
  release: async (key) => inner.release(key),
})

const kinds: [string, () => CallLedger][] = [
  ['a sync ledger', memoryLedger],
  ['an async ledger', () => remote(memoryLedger())],
]

/** A promise to settle by hand. */
const deferred = () => {
  let resolve!: (value?: unknown) => void
  let reject!: (error: unknown) => void
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const failure = (options: RpcErrorOptions = { executed: 'yes' }) => new RpcError('ABORTED', 'no luck', options)

/** What a run ends with, thrown or not, in this turn or a later one. */
const outcome = async (run: () => unknown): Promise<any> => {
  try {
    return { value: await run() }
  } catch (error) {
    return { error }
  }
}

const run = (once: Once, start: () => unknown, { key = 'key', input = { a: 1 } as unknown, resent = false } = {}) =>
  once.run(key, input, resent, start)

const never = () => {
  throw new Error('it was started')
}

it('answers in the same turn where nothing waits', () => {
  const once = createOnce(memoryLedger(), codec)
  const then = vi.spyOn(Promise.prototype, 'then')
  expect(run(once, () => 5)).toBe(5)
  expect(run(once, never)).toBe(5)
  expect(() =>
    run(
      once,
      () => {
        throw failure()
      },
      { key: 'failing' },
    ),
  ).toThrow('no luck')
  expect(() => run(once, never, { key: 'failing' })).toThrow('no luck')
  expect(() => run(once, never, { input: 'other' })).toThrow('another input')
  expect(() => run(once, never, { key: 'lost', resent: true })).toThrow('not known whether')
  expect(then).not.toHaveBeenCalled()
  then.mockRestore()
  expect(once.size).toBe(0)
})

for (const [name, make] of kinds) {
  it(`${name}: runs a call once, and replays what came of it`, async () => {
    const once = createOnce(make(), codec)
    const value = { at: new Date(5), bytes: [new Uint8Array([1, 2]), new Uint8Array([3])], n: 5n, none: undefined }
    const start = vi.fn(async () => value)
    expect(await run(once, start)).toBe(value)
    for (const resent of [true, false]) expect(await run(once, start, { resent })).toEqual(value)
    expect(start).toHaveBeenCalledTimes(1)
    expect(once.size).toBe(0)
  })

  it(`${name}: replays a result of nothing`, async () => {
    const once = createOnce(make(), codec)
    expect(await run(once, () => {})).toBeUndefined()
    expect(await run(once, never)).toBeUndefined()
  })

  it(`${name}: keeps a copy of bytes, which their user may change`, async () => {
    const once = createOnce(make(), codec)
    const bytes = new Uint8Array([1, 2])
    await run(once, () => bytes)
    bytes.fill(0)
    const first = (await run(once, never)) as Uint8Array
    expect(first).toEqual(new Uint8Array([1, 2]))
    first.fill(0)
    expect(await run(once, never)).toEqual(new Uint8Array([1, 2]))
  })

  it.each<RpcErrorOptions>([
    { executed: 'yes' },
    { executed: 'unknown', retryAfter: 5 },
    { executed: 'yes', data: { until: new Date(5), bytes: new Uint8Array([1]) } },
    {},
  ])(`${name}: replays an error: %o`, async (options) => {
    const once = createOnce(make(), codec)
    const thrown = failure(options)
    for (const start of [() => Promise.reject(thrown), never]) {
      const { error } = await outcome(() => run(once, start))
      expect(error).toBeInstanceOf(RpcError)
      const { code, message, data, executed, retryAfter, remote } = error
      expect({ code, message, data, executed, retryAfter, remote }).toEqual({
        code: 'ABORTED',
        message: 'no luck',
        data: options.data,
        executed: options.executed,
        retryAfter: options.retryAfter,
        remote: false,
      })
      if (start !== never) expect(error).toBe(thrown)
    }
  })

  it.each([
    [
      'throws',
      () => {
        throw failure({ executed: 'no' })
      },
    ],
    ['rejects', () => Promise.reject(failure({ executed: 'no' }))],
  ])(`${name}: does not remember a call that %s before it ran`, async (_, start) => {
    const once = createOnce(make(), codec)
    for (let i = 0; i < 2; i++)
      expect(await outcome(() => run(once, start))).toEqual({ error: expect.objectContaining({ executed: 'no' }) })
    expect(await run(once, () => 5, { input: 'other' })).toBe(5)
    expect(await run(once, never, { input: 'other' })).toBe(5)
  })

  it(`${name}: refuses a key that was used with another input`, async () => {
    const once = createOnce(make(), codec)
    const gate = deferred()
    const first = run(once, () => gate.promise)
    const refused = {
      error: expect.objectContaining({
        code: 'FAILED_PRECONDITION',
        executed: 'no',
        message: expect.stringMatching(/used with another input: use a new key/),
      }),
    }
    const other = outcome(() => run(once, never, { input: { a: 2 } }))
    expect(await other).toEqual(refused)
    gate.resolve(5)
    expect(await first).toBe(5)
    for (const input of [{ a: 2 }, { a: 1n }, null, { a: new Uint8Array([1]) }])
      expect(await outcome(() => run(once, never, { input }))).toEqual(refused)
  })

  it(`${name}: lets a call join the same one that runs`, async () => {
    const once = createOnce(make(), codec)
    const gate = deferred()
    const start = vi.fn(() => gate.promise)
    const calls = [false, true, false].map((resent) => outcome(() => run(once, start, { resent })))
    calls.push(outcome(() => run(once, start, { key: 'another' })))
    expect(once.size).toBe(2)
    // An async ledger has answered by then.
    await new Promise((resolve) => setTimeout(resolve, 5))
    calls.push(outcome(() => run(once, start)))
    gate.resolve({ a: 1 })
    for (const call of calls) expect(await call).toEqual({ value: { a: 1 } })
    expect(start).toHaveBeenCalledTimes(2)
    expect(once.size).toBe(0)
  })

  it.each<'no' | 'yes'>(['no', 'yes'])(`${name}: lets a call join one that fails, executed: %s`, async (executed) => {
    const once = createOnce(make(), codec)
    const gate = deferred()
    const start = vi.fn(() => gate.promise)
    const calls = [1, 2].map(() => outcome(() => run(once, start)))
    gate.reject(failure({ executed }))
    for (const call of calls) expect(await call).toEqual({ error: expect.objectContaining({ executed }) })
    expect(start).toHaveBeenCalledTimes(1)
    expect(once.size).toBe(0)
  })

  it(`${name}: does not run a call that began in a process that is gone`, async () => {
    const ledger = make()
    const first = createOnce(ledger, codec)
    run(first, () => new Promise(() => {}))
    await new Promise((resolve) => setTimeout(resolve, 5))
    const second = createOnce(ledger, codec)
    for (const resent of [true, false])
      expect(await outcome(() => run(second, never, { resent }))).toEqual({
        error: expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' }),
      })
    expect(second.size).toBe(0)
  })

  it.each<[string, () => unknown]>([
    ['returns', () => ({ f: () => {} })],
    ['promises', async () => ({ f: () => {} })],
    [
      'throws',
      () => {
        throw failure({ data: () => {}, executed: 'yes' })
      },
    ],
    [
      'throws, which is no RpcError,',
      () => {
        throw new TypeError('oops')
      },
    ],
    ['rejects with, which is no RpcError,', () => Promise.reject(new TypeError('oops'))],
  ])(`${name}: tells of what a call %s and cannot be stored, and does not run it again`, async (how, start) => {
    const ledger = make()
    const once = createOnce(ledger, codec)
    const { error } = await outcome(() => run(once, start))
    expect(error).not.toBeInstanceOf(RpcError)
    if (how.includes('no RpcError')) expect(error.message).toBe('oops')
    else {
      expect(error.message).toMatch('could not be stored')
      expect(error.cause.message).toMatch('no plain data')
    }
    expect(once.size).toBe(0)
    for (const each of [once, createOnce(ledger, codec)])
      expect(await outcome(() => run(each, never))).toEqual({
        error: expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' }),
      })
  })
}

it('forgets what cannot be stored after its window, as anything else', async () => {
  const ledger = memoryLedger({ window: 1 })
  const once = createOnce(ledger, codec)
  expect((await outcome(() => run(once, () => () => {}))).error).toBeInstanceOf(Error)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await run(once, () => 5)).toBe(5)
})

it('does not run a call that was sent before to a memory that is gone', async () => {
  for (const make of [memoryLedger, () => remote(memoryLedger(), false)]) {
    const once = createOnce(make(), codec)
    expect(await outcome(() => run(once, never, { resent: true }))).toEqual({
      error: expect.objectContaining({
        code: 'UNAVAILABLE',
        executed: 'unknown',
        message: expect.stringMatching(/^it is not known whether/),
      }),
    })
    // The key is free: who uses it as a new call takes the risk knowingly.
    expect(await run(once, () => 5)).toBe(5)
    expect(await run(once, never, { resent: true })).toBe(5)
  }
})

it('runs a call that was sent before, where the ledger would know of it', async () => {
  for (const ledger of [remote(memoryLedger()), { ...memoryLedger(), durable: true }]) {
    const once = createOnce(ledger, codec)
    expect(await run(once, () => 5, { resent: true })).toBe(5)
  }
})

it('lets other inputs ask the ledger while a claim is under way', async () => {
  // The key belongs to the second input; the first is still asking when the second comes back.
  const memory = memoryLedger()
  createOnce(memory, codec).run('key', 'second', false, () => 5)
  const gate = deferred()
  const ledger = {
    ...remote(memory),
    claim: (key: string, input: string) => gate.promise.then(() => memory.claim(key, input)),
  }
  const once = createOnce(ledger, codec)
  const first = outcome(() => run(once, never, { input: 'first' }))
  const second = outcome(() => run(once, never, { input: 'second' }))
  gate.resolve()
  expect(await first).toEqual({ error: expect.objectContaining({ code: 'FAILED_PRECONDITION' }) })
  expect(await second).toEqual({ value: 5 })
})

it('gives two calls at once with different inputs to one of them', async () => {
  const once = createOnce(remote(memoryLedger()), codec)
  const start = vi.fn(() => 5)
  const ends = await Promise.all([1, 2].map((input) => outcome(() => run(once, start, { input }))))
  expect(start).toHaveBeenCalledTimes(1)
  expect(ends).toEqual([{ value: 5 }, { error: expect.objectContaining({ code: 'FAILED_PRECONDITION' }) }])
})

it('does not wait for itself where a handler makes the same call again', async () => {
  const once = createOnce(memoryLedger(), codec)
  const inner = vi.fn(() => outcome(() => run(once, never)))
  const { error } = (await run(once, inner)) as any
  expect(error).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown' })
  expect(inner).toHaveBeenCalledTimes(1)
})

/** A ledger of which one method fails, in this turn or a later one. */
const failing = (method: 'claim' | 'settle' | 'release', later: boolean, error: unknown): CallLedger => ({
  ...memoryLedger(),
  [method]: () => {
    if (later) return Promise.reject(error)
    throw error
  },
})

for (const later of [false, true]) {
  const when = later ? 'later' : 'at once'

  it(`passes on what the ledger says of a claim, ${when}`, async () => {
    const full = new RpcError('RESOURCE_EXHAUSTED', 'full', { executed: 'no', retryAfter: 5 })
    const once = createOnce(failing('claim', later, full), codec)
    expect((await outcome(() => run(once, never))).error).toBe(full)
    expect(once.size).toBe(0)
  })

  it(`never says that a call did not run because its outcome cannot be stored, ${when}`, async () => {
    // A ledger must not, but may, throw what a claim throws.
    const full = new RpcError('RESOURCE_EXHAUSTED', 'full', { executed: 'no' })
    const once = createOnce(failing('settle', later, full), codec)
    for (const [i, start] of [() => 5, async () => 5, () => Promise.reject(failure()), () => () => {}].entries()) {
      const { error } = await outcome(() => run(once, start, { key: `${i}` }))
      expect(error).not.toBeInstanceOf(RpcError)
      expect(error).toMatchObject({ message: expect.stringMatching('could not be stored'), cause: full })
      expect(await outcome(() => run(once, never, { key: `${i}` }))).toEqual({
        error: expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' }),
      })
    }
    expect(once.size).toBe(0)
  })

  it(`tells of a key that cannot be given back, ${when}`, async () => {
    const down = new Error('down')
    const once = createOnce(failing('release', later, down), codec)
    expect((await outcome(() => run(once, never, { resent: true }))).error).toBe(down)
    const start = () => Promise.reject(failure({ executed: 'no' }))
    expect((await outcome(() => run(once, start, { key: 'refused' }))).error).toBe(down)
    expect(once.size).toBe(0)
  })
}

it('answers only once the outcome is stored', async () => {
  const gate = deferred()
  const once = createOnce({ ...memoryLedger(), settle: () => gate.promise as Promise<void> }, codec)
  const done = vi.fn()
  const call = (run(once, () => 5) as Promise<unknown>).then(done)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(done).not.toHaveBeenCalled()
  // Nor does the same call get anything else before.
  const joined = run(once, never)
  gate.resolve()
  await call
  expect(await joined).toBe(5)
  expect(done).toHaveBeenCalledWith(5)
})

it('starts nothing, and claims nothing, for an input that cannot be encoded', () => {
  const ledger = memoryLedger()
  const once = createOnce(ledger, codec)
  expect(() => run(once, never, { input: () => {} })).toThrow('no plain data')
  expect(ledger.size).toBe(0)
})

/** A ledger in which some record stands. */
const holding = (record: LedgerRecord): CallLedger => ({
  durable: true,
  claim: (_, input) => ({ ...record, input }),
  settle: never,
  release: never,
})

it.each<LedgerOutcome>([
  { kind: 'result', json: '{', marks: '' },
  { kind: 'result', json: '1', marks: '[["custom","Gone"]]' },
  { kind: 'result', json: '[0,5]', marks: '[["bytes","Uint8Array"]]', bytes: new Uint8Array(1) },
  { kind: 'error', json: 'null', marks: '{' },
])('tells of a record that cannot be read, and does not say that nothing ran: %o', async (stored) => {
  const once = createOnce(holding({ input: '', outcome: stored }), codec)
  const { error } = await outcome(() => run(once, never))
  expect(error).not.toBeInstanceOf(RpcError)
  expect(error.message).toMatch('cannot be read')
})

it('reads bytes also from a view whose slices share memory, as those of Node do', async () => {
  class Shared extends Uint8Array {
    override slice(start?: number, end?: number) {
      return this.subarray(start, end) as never
    }
  }
  const bytes = new Shared(new Uint8Array([9, 9, 1, 2, 9]).buffer, 2, 2)
  const stored: LedgerOutcome = { kind: 'result', json: '[0,2]', marks: '[["bytes","Uint8Array"]]', bytes }
  const once = createOnce(holding({ input: '', outcome: stored }), codec)
  const value = (await run(once, never)) as Uint8Array
  expect(value).toEqual(new Uint8Array([1, 2]))
  expect(value.buffer.byteLength).toBe(2)
})

it('stores what the rich codec writes', async () => {
  const settle = vi.fn()
  const claim = vi.fn()
  const once = createOnce({ durable: true, claim, settle, release: never }, codec)
  run(once, () => ({ at: new Date(0), b: new Uint8Array([7]) }))
  run(once, () => {})
  await outcome(() =>
    run(once, () => {
      throw failure({ executed: 'yes', retryAfter: 0 })
    }),
  )
  expect(claim).toHaveBeenCalledWith('key', expect.stringMatching(/^7\.0\.0\.[0-9a-f]{32}$/))
  expect(settle.mock.calls).toEqual([
    [
      'key',
      {
        kind: 'result',
        json: '{"at":"1970-01-01T00:00:00.000Z","b":[0,1]}',
        marks: '{"at":["Date"],"b":[["bytes","Uint8Array"]]}',
        bytes: new Uint8Array([7]),
      },
    ],
    ['key', { kind: 'result', json: '', marks: '' }],
    ['key', { kind: 'error', json: '{"code":"ABORTED","message":"no luck","executed":"yes"}', marks: '' }],
  ])
})
