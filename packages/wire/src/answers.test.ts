import { RpcError, tracked } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createAnswers } from './answers.ts'
import type { Invocation } from './callee.ts'
import { ProtocolError } from './close.ts'
import { createRichCodec, LIMITS, type Message, richTypes } from './index.ts'
import { createLine } from './line.ts'

afterEach(() => {
  vi.useRealTimers()
})

const nextTask = () => new Promise((resolve) => setTimeout(resolve))
type Kind = 'query' | 'subscription'

/** An answering end whose one procedure of each kind does what a test says. */
const serve = (run: (call: Invocation) => unknown, { limits = {}, takesStream = false, timeout = 30_000 } = {}) => {
  const sent: Message[] = []
  const outbox = { push: (text: string) => sent.push(JSON.parse(text)), flush() {} }
  const bounds = { ...LIMITS, calls: 2, subscriptions: 2, ...limits }
  const line = createLine(outbox, createRichCodec(8, richTypes), bounds, 2)
  let unread = 0
  line.weigh = (change) => {
    unread += change
  }
  const masked = vi.fn((_error: unknown) => new RpcError('INTERNAL', 'hidden', { executed: 'yes' }))
  const answers = createAnswers(
    line,
    bounds,
    {
      find: (path) => (/^(query|subscription)$/.test(path) ? { kind: path as Kind, takesStream } : undefined),
      run: (_procedure, call) => run(call),
      mask: masked,
    },
    timeout,
  )
  return { answers, sent, masked, say: (...message: Message) => answers.handle(message), unread: () => unread }
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
    [['2', 1, 'query'], 4000],
    [[99, 1], 4000],
  ])('of %o closes with %i', (message, code) => {
    const { answers } = serve(() => {})
    expect(() => answers.handle(message)).toThrow(ProtocolError)
    expect(() => answers.handle(message)).toThrow(expect.objectContaining({ code }))
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
  ])('about a call that has ended is ignored: %o', (message) => {
    const { answers, sent } = serve(() => {})
    answers.handle(message)
    expect(sent).toEqual([])
  })
})

it('aborts every handler when the connection is gone, and sends nothing', async () => {
  const { run, calls, finish } = waiting()
  const { answers, say, sent } = serve(run)
  say(2, 1, 'query')
  say(2, 3, 'subscription')
  answers.close(new RpcError('UNAVAILABLE'))
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
