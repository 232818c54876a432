import { cursor, RpcError, tracked } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Answering } from './answering.ts'
import { type AnswersOptions, createAnswers } from './answers.ts'
import type { Callable, Invocation } from './callee.ts'
import { ProtocolError } from './close.ts'
import { createRichCodec, LIMITS, type Limits, type Message, richTypes } from './index.ts'
import { createLine, type Packed } from './line.ts'
import type { Memory } from './memory.ts'

afterEach(() => {
  vi.useRealTimers()
})

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** As a session remembers: what comes with an id up to `forgotten` is no longer known. */
const remembering = (forgotten = 0) => {
  const kept = new Map<number, Packed>()
  const told: unknown[] = []
  const memory: Memory = {
    epoch: 'here',
    forgot: (id) => id <= forgotten,
    recall: (id) => kept.get(id),
    keep(id, answer, line) {
      kept.set(id, answer)
      told.push([id, line])
    },
    confirm: (line) => told.push(['confirmed', line]),
  }
  return { memory, kept, told }
}

/** An answering end whose procedures do what a test says: one of each kind, and `once`. */
const serve = (
  run: (call: Invocation) => unknown,
  {
    limits = {},
    takesStream = false,
    timeout = 30_000,
    ...options
  }: { limits?: Partial<Limits>; takesStream?: boolean; timeout?: number } & Partial<
    Omit<AnswersOptions, 'limits'>
  > = {},
) => {
  const codec = createRichCodec(8, richTypes)
  const bounds = { ...LIMITS, calls: 2, subscriptions: 2, ...limits }
  let unread = 0
  const masked = vi.fn((_error: unknown) => new RpcError('INTERNAL', 'hidden', { executed: 'yes' }))
  const procedures = new Map<string, Callable>([
    ['query', { path: 'query', kind: 'query', takesStream }],
    ['mutation', { path: 'mutation', kind: 'mutation', takesStream }],
    ['once', { path: 'once', kind: 'mutation', takesStream, retry: 'once' }],
    ['subscription', { path: 'subscription', kind: 'subscription', takesStream }],
  ])
  const answers = createAnswers({
    codec,
    limits: bounds,
    callee: { find: (path) => procedures.get(path), run: (_procedure, call) => run(call), mask: masked },
    timeout,
    ...options,
  })
  /** One more socket of the same session. */
  const connect = () => {
    const sent: Message[] = []
    const outbox = { push: (text: string) => sent.push(JSON.parse(text)), flush() {} }
    const line = createLine(outbox, codec, bounds, 2)
    line.weigh = (change) => {
      unread += change
    }
    return {
      line,
      sent,
      say: (...message: Message) => answers.handle(message, line),
      lose: () => answers.leave(line, new RpcError('UNAVAILABLE', 'lost', { executed: 'unknown' })),
    }
  }
  return { answers, masked, unread: () => unread, connect, ...connect() }
}
const refused = (id: number, code: string) => [8, id, expect.objectContaining({ code, executed: 'no' })]
const waiting = () => {
  const calls: Invocation[] = []
  const finish: ((value?: unknown) => void)[] = []
  const run = (call: Invocation) => {
    calls.push(call)
    return new Promise((resolve) => finish.push(resolve))
  }
  return { calls, finish, run }
}

describe('a call', () => {
  it('of a handler that is sync is answered at once', () => {
    const { answers, say, sent } = serve(({ input }) => [input])
    say(2, 1, 'query', 5)
    expect([sent, answers.size]).toEqual([[[7, 1, [5]]], 0])
  })

  it('counts until its handler has ended', async () => {
    const { run, finish } = waiting()
    const { answers, say, sent } = serve(run)
    say(2, 1, 'query')
    expect(answers.size).toBe(1)
    finish[0]!('result')
    await nextTask()
    expect([sent, answers.size]).toEqual([[[7, 1, 'result']], 0])
  })

  it('over the limit is refused, until one before it has ended; streams are counted apart', async () => {
    const { run, finish } = waiting()
    const { say, sent } = serve(run)
    for (const id of [1, 3, 5]) say(2, id, 'query')
    for (const id of [7, 9, 11]) say(2, id, 'subscription')
    expect(sent).toEqual([refused(5, 'RESOURCE_EXHAUSTED'), refused(11, 'RESOURCE_EXHAUSTED')])
    finish[0]!()
    finish[2]!([])
    await nextTask()
    sent.length = 0
    for (const id of [13, 15]) say(2, id, 'query')
    for (const id of [17, 19]) say(2, id, 'subscription')
    expect(sent).toEqual([refused(15, 'RESOURCE_EXHAUSTED'), refused(19, 'RESOURCE_EXHAUSTED')])
  })

  it('goes on counting when it was cancelled, since its handler still runs', async () => {
    const { run, finish } = waiting()
    const { answers, say, sent } = serve(run, { limits: { calls: 1 } })
    say(2, 1, 'query')
    say(3, 1)
    say(2, 3, 'query')
    expect([answers.size, sent]).toEqual([1, [refused(3, 'RESOURCE_EXHAUSTED')]])
    finish[0]!()
    await nextTask()
    expect(answers.size).toBe(0)
  })

  it('hears no more once it was cancelled: no result, no error', async () => {
    const ends = [() => 'late', () => Promise.reject(new Error('late'))]
    for (const end of ends) {
      const { run, finish } = waiting()
      const { say, sent, masked } = serve((call) => run(call).then(end))
      say(2, 1, 'query')
      say(3, 1)
      finish[0]!()
      await nextTask()
      expect([sent, masked.mock.calls]).toEqual([[], []])
    }
  })

  it('tells its handler that it was cancelled, whether that has asked for the signal yet or not', () => {
    const { run, calls } = waiting()
    const { say } = serve(run)
    say(2, 1, 'query')
    say(2, 3, 'query')
    const early = vi.fn()
    calls[0]!.signal.addEventListener('abort', early)
    say(3, 1)
    say(3, 1)
    say(3, 3)
    expect(early).toHaveBeenCalledTimes(1)
    expect(calls.map(({ aborted, signal }) => [aborted, signal.aborted, signal.reason.code])).toEqual(
      Array(2).fill([true, true, 'CANCELLED']),
    )
  })

  it('ends at its deadline, once', async () => {
    vi.useFakeTimers()
    const { run, calls, finish } = waiting()
    const { say, sent } = serve(run)
    say(2, 1, 'query', null, { timeout: 50 })
    vi.advanceTimersByTime(50)
    finish[0]!('late')
    await vi.advanceTimersByTimeAsync(50)
    expect(sent).toEqual([[8, 1, expect.objectContaining({ code: 'DEADLINE_EXCEEDED', executed: 'unknown' })]])
    expect(calls[0]!.signal.reason.code).toBe('DEADLINE_EXCEEDED')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has the deadline of its caller where it says no other, and a stream has none', () => {
    vi.useFakeTimers()
    const { run, calls } = waiting()
    const { say } = serve(run, { timeout: 1_000 })
    say(2, 1, 'query')
    say(2, 3, 'query', null, { timeout: 5 })
    say(2, 5, 'subscription')
    expect(calls.map(({ deadline }) => deadline && deadline - Date.now())).toEqual([1_000, 5, undefined])
  })

  it.each([
    [['query', null, { timeout: 0 }], 'DEADLINE_EXCEEDED'],
    [['query', null, { timeout: -5 }], 'DEADLINE_EXCEEDED'],
    [['nothing'], 'NOT_FOUND'],
    [['x'.repeat(257)], 'INVALID_ARGUMENT'],
    [['query', null, null, ['Unknown']], 'INVALID_ARGUMENT'],
  ])('of %o is refused', (fields, code) => {
    const run = vi.fn()
    const { answers, say, sent } = serve(run)
    say(2, 1, ...fields)
    expect([sent, answers.size]).toEqual([[refused(1, code)], 0])
    expect(run).not.toHaveBeenCalled()
  })

  it('is given what was said of it, and no more', () => {
    const { run, calls } = waiting()
    const { say } = serve(run)
    say(2, 1, 'query', '5', { lastEventId: 'e.1', metadata: { a: 'b', n: 5 } }, ['bigint'])
    say(2, 3, 'query', 5, { lastEventId: 5 })
    expect(calls[0]).toMatchObject({ input: 5n, lastEventId: 'e.1', metadata: { a: 'b' } })
    expect(calls[1]).toMatchObject({ input: 5, lastEventId: undefined, metadata: {} })
  })

  it('is told an RpcError as it is, and anything else masked', async () => {
    const known = new RpcError('MUTED', 'not now', { data: { until: new Date(0) }, executed: 'yes', retryAfter: 5 })
    const secret = new Error('a secret')
    const throws = () => {
      throw secret
    }
    for (const run of [throws, async () => throws()]) {
      const { say, sent, masked } = serve(run)
      say(2, 3, 'query')
      await nextTask()
      expect(sent).toEqual([[8, 3, { code: 'INTERNAL', message: 'hidden', executed: 'yes' }]])
      expect(masked.mock.calls[0]![0]).toBe(secret)
    }
    const { say, sent, masked } = serve(() => {
      throw known
    })
    say(2, 1, 'query')
    const data = { until: '1970-01-01T00:00:00.000Z' }
    expect(sent).toEqual([
      [8, 1, { code: 'MUTED', message: 'not now', data, executed: 'yes', retryAfter: 5 }, { 'data.until': ['Date'] }],
    ])
    expect(masked).not.toHaveBeenCalled()
  })

  it('whose result, or error, cannot be sent is told so, masked', () => {
    for (const run of [
      () => () => {},
      () => {
        throw new RpcError('X', 'm', { data: () => {} })
      },
    ]) {
      const { answers, say, sent, masked } = serve(run)
      say(2, 1, 'query')
      expect(sent).toEqual([[8, 1, expect.objectContaining({ code: 'INTERNAL' })]])
      expect(masked.mock.calls[0]![0]).toMatchObject({ message: expect.stringContaining('is no plain data') })
      expect(answers.size).toBe(0)
    }
  })
})

describe('a subscription', () => {
  it('sends its events, with their ids, and its end', async () => {
    const { answers, say, sent } = serve(async function* () {
      yield 'a'
      yield tracked('e.1', 'b')
      yield tracked('e.2', undefined)
    })
    say(2, 1, 'subscription')
    await nextTask()
    expect(sent).toEqual([
      [9, 1, 'a'],
      [9, 1, 'b', 'e.1'],
      [9, 1, null, 'e.2', ['undefined']],
      [10, 1],
    ])
    expect(answers.size).toBe(0)
  })

  it('tells a position as such, which takes no part of the window', async () => {
    const { say, sent } = serve(async function* () {
      yield cursor('e."0"')
      for (let i = 0; i < 1_000; i++) yield cursor(`e.${i}`)
      yield tracked('e.1000', 'a')
    })
    say(2, 1, 'subscription', null, { window: 1_000 })
    await nextTask()
    expect(sent[0]).toEqual([14, 1, 'e."0"'])
    expect([sent.length, sent.at(-2)]).toEqual([1_003, [9, 1, 'a', 'e.1000']])
  })

  it('keeps to the window of the call, and leaves its source when it is cancelled', async () => {
    let left = 0
    const { answers, say, sent } = serve(async function* () {
      try {
        for (;;) yield 'x'.repeat(10_000)
      } finally {
        left++
      }
    })
    say(2, 1, 'subscription', null, { window: 25_000 })
    await nextTask()
    expect(sent.filter(([op]) => op === 9)).toHaveLength(3)
    say(6, 1, 10_000)
    await nextTask()
    expect(sent.filter(([op]) => op === 9)).toHaveLength(4)
    expect(left).toBe(0)
    sent.length = 0
    say(3, 1)
    await nextTask()
    expect([left, answers.size, sent]).toEqual([1, 0, []])
  })

  it('whose source comes after it was cancelled is left unread', async () => {
    const { run, finish } = waiting()
    const { answers, say, sent } = serve(run)
    const source = { next: vi.fn(), return: vi.fn(async () => ({ done: true })) }
    say(2, 1, 'subscription')
    say(3, 1)
    finish[0]!({ [Symbol.asyncIterator]: () => source })
    await nextTask()
    expect(source.next).not.toHaveBeenCalled()
    expect(source.return).toHaveBeenCalled()
    expect([answers.size, sent]).toEqual([0, []])
  })
})

describe('an input stream', () => {
  it('is read as it comes, to its end, and grants what it is asked for', async () => {
    const got: unknown[] = []
    const { say, sent, unread } = serve(
      async ({ stream }) => {
        for await (const item of stream!) got.push(item)
        return 'read'
      },
      { takesStream: true },
    )
    say(2, 1, 'query')
    say(4, 1, '5', ['bigint'])
    say(6, 1, -100)
    say(4, 1, 'b')
    say(5, 1)
    await nextTask()
    expect([got, sent]).toEqual([
      [5n, 'b'],
      [
        [6, 1, 100],
        [7, 1, 'read'],
      ],
    ])
    expect(unread()).toBe(0)
  })

  it.each<[string, Message, string]>([
    ['its sender says', [5, 1, { code: 'ABORTED' }], 'ABORTED'],
    ['is wrong with an item', [4, 1, 'x', ['bigint']], 'INVALID_ARGUMENT'],
  ])('throws what %s', async (_name, message, code) => {
    let caught: unknown
    const { answers, say } = serve(
      async ({ stream }) => {
        try {
          for await (const _ of stream!);
        } catch (error) {
          caught = error
        }
      },
      { takesStream: true },
    )
    say(2, 1, 'query')
    say(...message)
    await nextTask()
    expect([(caught as RpcError).code, answers.size]).toEqual([code, 0])
  })

  it('holds nothing once its call was answered', async () => {
    const { say, unread } = serve(() => 'at once', { takesStream: true })
    say(2, 1, 'query')
    say(4, 1, 'late')
    say(6, 1, -100)
    say(5, 1)
    await nextTask()
    expect(unread()).toBe(0)
  })
})

describe('a message', () => {
  it.each<[Message, number]>([
    [[0, 1], 4005],
    [[2, 2, 'query'], 4000],
    [[3, 2], 4000],
    [[7, 1, 'x'], 4000],
    [[10, 1], 4000],
    [[6, 1, '5'], 4000],
    [[6, 1, 1.5], 4000],
    [[2, 1, 5], 4000],
    [[2, 1, 'query', null, 'options'], 4000],
    [[2, 0, 'query'], 4000],
    [[true, 1, 'query'], 4000],
    [['query', 2], 4000],
    [['query', '1'], 4000],
    [[14, 1, 'e.1'], 4000],
    [[1, {}], 4000],
    [[13, 1], 4000],
    [[99, 1], 4000],
  ])('of %o closes with %i', (message, code) => {
    const { say } = serve(() => {})
    expect(() => say(...message)).toThrow(ProtocolError)
    expect(() => say(...message)).toThrow(expect.objectContaining({ code }))
  })

  it('that begins a call again closes with 4002, also when that was cancelled', () => {
    const { say } = serve(() => new Promise(() => {}))
    say(2, 1, 'query')
    const again = () => say(2, 1, 'query')
    expect(again).toThrow(expect.objectContaining({ code: 4002 }))
    say(3, 1)
    expect(again).toThrow(expect.objectContaining({ code: 4002 }))
  })

  it.each<[Message]>([
    [[3, 9]],
    [[4, 9, 'x']],
    [[5, 9]],
    [[6, 9, 5]],
    [[6, 9, -5]],
    [[7, 2, 'x']],
    [[9, 2, 'x']],
    [[12]],
    [[14, 2, 'e.1']],
  ])('about a call that has ended is ignored: %o', (message) => {
    const { say, sent } = serve(() => {})
    say(...message)
    expect(sent).toEqual([])
  })
})

it('aborts every handler when its caller is gone, and sends nothing', async () => {
  const { run, calls, finish } = waiting()
  const { answers, say, sent, lose } = serve(run)
  say(2, 1, 'query')
  say(2, 3, 'subscription')
  lose()
  expect(calls.map(({ signal }) => signal.reason.code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
  for (const end of finish) end([])
  await nextTask()
  expect([sent, answers.size]).toEqual([[], 0])
})

it('bears an error that is larger than the other end takes', async () => {
  const { say, sent, answers } = serve(() => Promise.reject(new Error('x')), { limits: { message: 30 } })
  say(2, 1, 'query')
  await nextTask()
  expect([sent, answers.size]).toEqual([[], 0])
})

describe('a call that comes again on another socket', () => {
  const again = { attempt: 2, epoch: 'here' }

  it('as a mutation that still runs is joined: it runs once, and answers there', async () => {
    for (const procedure of ['mutation', 'once']) {
      const { run, calls, finish } = waiting()
      const { memory, told } = remembering()
      const { say, sent, lose, connect, answers } = serve(run, { memory })
      say(2, 1, procedure)
      lose()
      expect([calls[0]!.aborted, answers.size]).toEqual([false, 1])
      const next = connect()
      next.say(2, 1, procedure, null, again)
      expect(calls).toHaveLength(1)
      finish[0]!('result')
      await nextTask()
      expect([sent, next.sent, answers.size]).toEqual([[], [[7, 1, 'result']], 0])
      expect(told).toEqual([[1, next.line]])
    }
  })

  it('while the old socket is still there is taken over from it, which is not heard any more', async () => {
    const { run, calls, finish } = waiting()
    const { say, sent, connect, lose } = serve(run, { memory: remembering().memory })
    say(2, 1, 'mutation')
    const next = connect()
    next.say(2, 1, 'mutation', null, again)
    // Neither a cancel that was late nor the end of the old socket is about it.
    say(3, 1)
    lose()
    expect([calls.length, calls[0]!.aborted]).toEqual([1, false])
    finish[0]!('result')
    await nextTask()
    expect([sent, next.sent]).toEqual([[], [[7, 1, 'result']]])
  })

  it('as a mutation that ended meanwhile is answered with what came of it, as often as it is asked', async () => {
    const known = new RpcError('MUTED', 'not now', { executed: 'yes' })
    for (const [end, expected] of [
      [() => 5n, [7, 1, '5', ['bigint']]],
      [() => Promise.reject(known), [8, 1, { code: 'MUTED', message: 'not now', executed: 'yes' }]],
      [() => Promise.reject(new Error('x')), [8, 1, { code: 'INTERNAL', message: 'hidden', executed: 'yes' }]],
      [() => () => {}, [8, 1, expect.objectContaining({ code: 'INTERNAL' })]],
    ] as const) {
      const { memory, told } = remembering()
      let runs = 0
      let finish = () => {}
      const run = async () => {
        runs++
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return end()
      }
      const { say, lose, connect, sent } = serve(run, { memory })
      say(2, 1, 'mutation')
      lose()
      finish()
      await nextTask()
      expect(told).toEqual([[1, undefined]])
      for (let i = 0; i < 2; i++) {
        const next = connect()
        next.say(2, 1, 'mutation', null, again)
        expect(next.sent).toEqual([expected])
        expect(told.at(-1)).toEqual([1, next.line])
        next.lose()
      }
      expect([runs, sent]).toEqual([1, []])
    }
  })

  it('as a mutation that ran out of time meanwhile is told that', async () => {
    vi.useFakeTimers()
    const { run, calls } = waiting()
    const { say, lose, connect } = serve(run, { memory: remembering().memory })
    say(2, 1, 'mutation', null, { timeout: 50 })
    lose()
    vi.advanceTimersByTime(50)
    expect(calls[0]!.signal.reason.code).toBe('DEADLINE_EXCEEDED')
    const next = connect()
    next.say(2, 1, 'mutation', null, again)
    expect(next.sent).toEqual([[8, 1, expect.objectContaining({ code: 'DEADLINE_EXCEEDED', executed: 'unknown' })]])
  })

  it('as a mutation that was refused, or says that it had no effect, is run', async () => {
    const { memory, kept } = remembering()
    const outcomes = [() => Promise.reject(new RpcError('UNAVAILABLE', 'no', { executed: 'no' })), () => 'ran']
    const { say, lose, connect, sent } = serve(() => outcomes.shift()!(), { memory })
    say(2, 1, 'mutation')
    await nextTask()
    expect([sent[0]![0], kept.size]).toEqual([8, 0])
    lose()
    const next = connect()
    next.say(2, 1, 'mutation', null, again)
    expect(next.sent).toEqual([[7, 1, 'ran']])
  })

  it.each(['query', 'subscription'])('as a %s is aborted with its socket, and run anew', async (procedure) => {
    const { run, calls, finish } = waiting()
    const { memory, kept } = remembering()
    const { say, lose, connect, sent, answers } = serve(run, { memory })
    say(2, 1, procedure, 'input', { lastEventId: 'e.1' })
    lose()
    expect(calls[0]!.signal.reason.code).toBe('UNAVAILABLE')
    const next = connect()
    next.say(2, 1, procedure, 'input', { lastEventId: 'e.2', ...again })
    expect(calls.map(({ lastEventId, aborted }) => [lastEventId, aborted])).toEqual([
      ['e.1', true],
      ['e.2', false],
    ])
    finish[0]!([])
    await nextTask()
    expect(answers.size).toBe(1)
    // The end of the old run is not the end of the new one.
    next.say(3, 1)
    expect(calls[1]!.signal.reason.code).toBe('CANCELLED')
    finish[1]!([])
    await nextTask()
    expect([sent, next.sent, answers.size, kept.size]).toEqual([[], [], 0, 0])
  })

  it('keeps what the bytes of its result were, where nobody is there to hear it', async () => {
    const { run, finish } = waiting()
    const { memory, kept } = remembering()
    const { say, lose } = serve(run, { memory })
    say(2, 1, 'mutation')
    lose()
    const mine = new Uint8Array([1, 2])
    finish[0]!(mine)
    await nextTask()
    mine.fill(9)
    expect(kept.get(1)!.bytes).toEqual([new Uint8Array([1, 2])])
  })

  it('as a subscription that moves is aborted on the old socket, and says there nothing more', async () => {
    let runs = 0
    const { say, connect, sent, answers } = serve(async function* ({ signal }) {
      yield tracked(`e.${++runs}`, runs)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    say(2, 1, 'subscription')
    await nextTask()
    const next = connect()
    next.say(2, 1, 'subscription', null, { lastEventId: 'e.1', ...again })
    await nextTask()
    // Its cancel comes late, on the old socket: no matter of the new one.
    say(3, 1)
    await nextTask()
    expect([sent, next.sent, answers.size]).toEqual([[[9, 1, 1, 'e.1']], [[9, 1, 2, 'e.2']], 1])
  })

  it('twice on one socket is a second call of one id, whatever is remembered', () => {
    const { run } = waiting()
    const { say, connect, lose } = serve(run, { memory: remembering().memory })
    say(2, 1, 'mutation')
    expect(() => say(2, 1, 'mutation', null, again)).toThrow(expect.objectContaining({ code: 4002 }))
    lose()
    const next = connect()
    next.say(2, 1, 'mutation', null, again)
    expect(() => next.say(2, 1, 'mutation', null, again)).toThrow(expect.objectContaining({ code: 4002 }))
  })

  it('tells its callee whether it may have run where nobody here remembers it', () => {
    const seen: boolean[] = []
    const run = ({ resent }: Invocation) => void seen.push(resent)
    const { say } = serve(run, { memory: remembering(4).memory })
    // Forgotten; never seen; sent to another memory, or to several; for the first time, whatever it says of that.
    say(2, 3, 'once', null, again)
    say(2, 5, 'once', null, again)
    say(2, 7, 'once', null, { attempt: 2, epoch: 'there' })
    say(2, 9, 'once', null, { attempt: 3, epoch: '' })
    say(2, 11, 'once', null, { attempt: 2 })
    say(2, 13, 'once', null, { attempt: 1, epoch: 'there' })
    say(2, 15, 'once')
    expect(seen).toEqual([true, false, true, true, true, false, false])
  })

  it('as a mutation that may have run, and may not run twice, is not run; nothing of that is remembered', () => {
    const run = vi.fn()
    const { memory, told } = remembering(4)
    const { say, sent, answers } = serve(run, { memory })
    say(2, 3, 'mutation', null, again)
    say(2, 5, 'mutation', null, { attempt: 2, epoch: 'there' })
    const unknown = expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' })
    expect(sent).toEqual([
      [8, 3, unknown],
      [8, 5, unknown],
    ])
    expect([run.mock.calls.length, told, answers.size]).toEqual([0, [], 0])
    say(2, 7, 'mutation', null, again)
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('for which there is no memory was aborted with its socket, and is not run again', () => {
    const { run, calls } = waiting()
    const { say, lose, connect } = serve(run)
    say(2, 1, 'mutation')
    lose()
    expect(calls[0]!.signal.reason.code).toBe('UNAVAILABLE')
    const next = connect()
    next.say(2, 1, 'mutation', null, again)
    expect(calls).toHaveLength(1)
    expect(next.sent).toEqual([[8, 1, expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' })]])
  })

  it('and finds the place of its earlier run not free yet is told to come back soon; a new call is not', async () => {
    const { run, finish } = waiting()
    const { say, connect } = serve(run, { limits: { subscriptions: 1 }, memory: remembering().memory })
    say(2, 1, 'subscription')
    const next = connect()
    next.say(2, 1, 'subscription', null, { lastEventId: 'e.1', ...again })
    next.say(2, 3, 'subscription')
    const refused = { code: 'RESOURCE_EXHAUSTED', message: expect.any(String) }
    expect(next.sent).toEqual([
      [8, 1, { ...refused, executed: 'unknown', retryAfter: expect.any(Number) }],
      [8, 3, { ...refused, executed: 'no' }],
    ])
    finish[0]!([])
    await nextTask()
    next.say(2, 1, 'subscription', null, { lastEventId: 'e.1', ...again })
    expect(next.sent).toHaveLength(2)
  })
})

describe('a call with a stream that comes again', () => {
  it.each([
    ['query', 'here', 0, 'unknown'],
    ['subscription', 'here', 0, 'unknown'],
    ['mutation', 'here', 0, 'no'],
    ['mutation', 'here', 1, 'unknown'],
    ['mutation', 'there', 0, 'unknown'],
  ])('as a %s that was sent %s, where %i are forgotten, was executed: %s', (procedure, epoch, forgotten, executed) => {
    const run = vi.fn()
    const { say, sent, answers } = serve(run, { takesStream: true, memory: remembering(forgotten).memory })
    say(2, 1, procedure, null, { attempt: 2, epoch })
    expect(sent).toEqual([[8, 1, expect.objectContaining({ code: 'UNAVAILABLE', executed })]])
    expect([run.mock.calls.length, answers.size]).toEqual([0, 0])
  })

  it('for the first time is none of those', () => {
    const run = vi.fn()
    const { say } = serve(run, { takesStream: true })
    say(2, 1, 'mutation', null, { attempt: 1 })
    say(2, 3, 'mutation', null, { attempt: 'x' })
    expect(run).toHaveBeenCalledTimes(2)
  })

  it('is answered with what its mutation made of the stream that broke off', async () => {
    const { memory } = remembering()
    const { say, lose, connect } = serve(
      async ({ stream }) => {
        const got: unknown[] = []
        try {
          for await (const item of stream!) got.push(item)
        } catch (error) {
          got.push((error as RpcError).code)
        }
        return got
      },
      { takesStream: true, memory },
    )
    say(2, 1, 'mutation')
    say(4, 1, 'a')
    lose()
    const next = connect()
    next.say(2, 1, 'mutation', null, { attempt: 2 })
    // What still comes of the stream has no place any more.
    next.say(4, 1, 'b')
    next.say(5, 1)
    await nextTask()
    expect(next.sent).toEqual([[7, 1, ['a', 'UNAVAILABLE']]])
  })
})

describe('what is remembered', () => {
  it('is how mutations ended, and where that was told', async () => {
    const { memory, kept, told } = remembering()
    const { say, line } = serve(({ input }) => input, { memory })
    say(2, 1, 'query', 'a')
    say(2, 3, 'mutation', 'b')
    say(2, 5, 'once', 'c')
    expect(told).toEqual([
      [3, line],
      [5, line],
    ])
    expect([...kept.values()].map(({ text }) => text)).toEqual(['[7,3,"b"]', '[7,5,"c"]'])
  })

  it('is none of what its caller cancelled', async () => {
    const { run, finish } = waiting()
    const { memory, told } = remembering()
    const { say } = serve(run, { memory })
    say(2, 1, 'mutation')
    say(3, 1)
    finish[0]!('late')
    await nextTask()
    expect(told).toEqual([])
  })

  it('is confirmed by a pong, for the socket it came on', () => {
    const { memory, told } = remembering()
    const { connect, say, line } = serve(() => {}, { memory })
    const next = connect()
    next.say(12)
    say(12)
    expect(told).toEqual([
      ['confirmed', next.line],
      ['confirmed', line],
    ])
  })
})

describe('a caller who is gone for good', () => {
  it('leaves nothing running but what another call may have joined, unless that is to end as well', () => {
    for (const all of [false, true]) {
      const { run, calls } = waiting()
      const { say, lose, answers } = serve(run, { memory: remembering().memory })
      say(2, 1, 'mutation')
      say(2, 3, 'once')
      lose()
      expect(calls.map(({ aborted }) => aborted)).toEqual([false, false])
      answers.close(new RpcError('UNAVAILABLE', 'never came back'), all)
      expect(calls.map(({ aborted }) => aborted)).toEqual([true, all])
    }
  })
})

describe('a review', () => {
  it('ends queries and subscriptions that may not go on, with the error; mutations are not asked about', async () => {
    const { run, calls } = waiting()
    const { say, sent, answers } = serve(run, { limits: { calls: 3 } })
    say(2, 1, 'query', 'bad')
    say(2, 3, 'query', 'good')
    say(2, 5, 'mutation', 'bad')
    say(2, 7, 'subscription', 'bad')
    const judge = vi.fn(async ({ input }: Answering) =>
      input === 'bad' ? new RpcError('PERMISSION_DENIED', 'not any more', { executed: 'yes' }) : undefined,
    )
    answers.review(judge)
    await nextTask()
    const told = { code: 'PERMISSION_DENIED', message: 'not any more', executed: 'yes' }
    expect(judge.mock.calls.map(([{ id }]) => id)).toEqual([1, 3, 7])
    expect(sent).toEqual([
      [8, 1, told],
      [8, 7, told],
    ])
    expect(calls.map(({ aborted }) => aborted)).toEqual([true, false, false, true])
  })

  it('is too late for a call that ended meanwhile', async () => {
    const { run, finish } = waiting()
    const { say, sent, answers } = serve(run)
    say(2, 1, 'query')
    answers.review(async () => {
      await nextTask()
      return new RpcError('PERMISSION_DENIED')
    })
    finish[0]!('result')
    await nextTask()
    await nextTask()
    expect(sent).toEqual([[7, 1, 'result']])
  })
})

describe('a rate', () => {
  it('refuses a call, not executed, and says when one more can come', () => {
    const waits = [0, 250, 0]
    const run = vi.fn(() => 'ran')
    const { say, sent, answers } = serve(run, { admit: () => waits.shift()!, limits: { rate: 5 } })
    for (const id of [1, 3, 5]) say(2, id, 'query')
    expect(sent).toEqual([
      [7, 1, 'ran'],
      [8, 3, { code: 'RESOURCE_EXHAUSTED', message: 'more than 5 calls per second', executed: 'no', retryAfter: 250 }],
      [7, 5, 'ran'],
    ])
    expect([run.mock.calls.length, answers.size]).toEqual([2, 0])
  })

  it('takes no token for what needs no run', async () => {
    const admit = vi.fn(() => 0)
    const { run, finish } = waiting()
    const { say, lose, connect } = serve(run, { admit, memory: remembering().memory })
    say(2, 1, 'mutation')
    say(2, 3, 'mutation')
    finish[0]!('result')
    await nextTask()
    lose()
    const next = connect()
    for (const id of [1, 3]) next.say(2, id, 'mutation', null, { attempt: 2 })
    expect(admit).toHaveBeenCalledTimes(2)
  })
})

describe('a refusal of a call that may have run before', () => {
  const message = (path: string, options = {}): Message => [
    2,
    1,
    path,
    null,
    { attempt: 2, epoch: 'there', ...options },
  ]
  it.each<[string, Message, Partial<Limits>, (() => number) | undefined]>([
    ['over the rate', message('mutation'), {}, () => 250],
    ['over the limit', message('mutation'), { calls: 0 }, undefined],
    ['out of time', message('mutation', { timeout: 0 }), {}, undefined],
    ['not known here', message('nothing'), {}, undefined],
    ['with too long a path', message('x'.repeat(300)), {}, undefined],
  ])('%s says that it was perhaps executed', (_name, message, limits, admit) => {
    const { say, sent } = serve(() => {}, { memory: remembering().memory, limits, admit })
    say(...message)
    expect(sent).toEqual([[8, 1, expect.objectContaining({ executed: 'unknown' })]])
  })
})
