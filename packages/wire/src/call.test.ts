import { RpcError } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Call, type CallSettings } from './call.ts'
import { jsonCodec } from './codec.ts'
import { createLine } from './line.ts'
import { type Message, PEER_LIMITS } from './messages.ts'
import { createPeer } from './peer.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** A call, and the other end of the lines that carry it, one after the other. */
const make = (settings: CallSettings = {}, { input = 'input' as unknown, message = 1_000, again = true } = {}) => {
  let unread = 0
  const socket = (epoch?: string) => {
    const sent: Message[] = []
    const outbox = { push: (text: string) => sent.push(JSON.parse(text)), flush() {} }
    const line = createLine(outbox, jsonCodec, { ...PEER_LIMITS, message }, 1)
    if (epoch) line.epoch = epoch
    const { weigh } = line
    line.weigh = (change) => {
      unread += change
      weigh.call(line, change)
    }
    const peer = createPeer(line, {})
    return {
      sent,
      open: () => call.open(peer),
      say: (...messages: Message[]) => peer.handle({ messages, bytes: undefined, size: 0 }),
      lose: () => peer.close(new RpcError('UNAVAILABLE', 'lost', { executed: 'unknown' })),
    }
  }
  const owner = {
    ended: vi.fn(),
    streams: vi.fn(),
    again: vi.fn((_call: Call, _delay?: number) => again),
    problem: vi.fn(() => ''),
  }
  const call = new Call(owner, jsonCodec, 'path', input, settings, 30_000)
  call.id = 1
  return { call, owner, unread: () => unread, socket, ...socket() }
}
const opened = (settings?: CallSettings) => {
  const made = make(settings)
  made.open()
  return made
}
const outcome = (call: PromiseLike<unknown>): PromiseLike<any> =>
  call.then(
    (value) => value,
    ({ code, executed }) => [code, executed],
  )
const failure = (call: PromiseLike<unknown>) =>
  call.then(
    () => expect.unreachable(),
    (error: RpcError) => error,
  )
/** What a reader gets, up to and with the error that ends it. */
const read = async (call: AsyncIterable<unknown>) => {
  const got: unknown[] = []
  try {
    for await (const event of call) got.push(event)
  } catch (error) {
    got.push((error as RpcError).code)
  }
  return got
}
const gone = { code: 'NOT_FOUND', executed: 'yes' }

describe('a call', () => {
  it('is sent when it is opened, with the options it has', () => {
    vi.useFakeTimers()
    const bare = opened()
    expect(bare.sent).toEqual([[2, 1, 'path', 'input']])
    const { open, sent } = make({ timeout: 500, lastEventId: 'e.1', metadata: { a: 'b' } })
    vi.advanceTimersByTime(200)
    open()
    expect(sent).toEqual([[2, 1, 'path', 'input', { timeout: 300, lastEventId: 'e.1', metadata: { a: 'b' } }]])
  })

  it('resolves with its result', async () => {
    const { call, say, owner } = opened()
    const awaited = outcome(call)
    say([7, 1, { a: 1 }])
    expect(await awaited).toEqual({ a: 1 })
    expect([call.ended, owner.ended.mock.calls]).toEqual([true, [[call]]])
  })

  it('rejects with its error', async () => {
    const { call, say } = opened()
    const caught = call.catch((error) => error)
    say([8, 1, { ...gone, message: 'not here' }])
    expect(await caught).toBeInstanceOf(RpcError)
    expect(await caught).toMatchObject({ ...gone, message: 'not here', remote: true })
  })

  it('ends once, whatever comes after', async () => {
    const { call, say, sent, owner, lose } = opened()
    say([7, 1, 'first'], [7, 1, 'second'], [8, 1, gone], [9, 1, 'event'], [10, 1])
    call.end('CANCELLED', 'came too late')
    call.expire()
    call.hear(8, new RpcError('ABORTED'))
    lose()
    expect(await call).toBe('first')
    expect(owner.ended).toHaveBeenCalledTimes(1)
    expect(sent).toHaveLength(1)
  })

  it('can be awaited before and after its end, and more than once', async () => {
    const { call, say } = opened()
    const before = [outcome(call), outcome(call)]
    say([7, 1, 'result'])
    expect(await Promise.all([...before, outcome(call), call.finally(() => {})])).toEqual(Array(4).fill('result'))
  })

  it('that nobody waits for is no unhandled rejection, and can still be asked', async () => {
    const { call, say } = opened()
    say([8, 1, gone])
    // What is unhandled fails the run.
    await nextTask()
    expect(await outcome(call)).toEqual(['NOT_FOUND', 'yes'])
  })

  it('outlives its socket, and is sent again on the next under the same id', async () => {
    vi.useFakeTimers()
    const { call, lose, socket, owner } = opened({ timeout: 500, metadata: { a: 'b' }, key: 'k' })
    const awaited = outcome(call)
    expect(lose()).toEqual([call])
    vi.advanceTimersByTime(200)
    for (const attempt of [2, 3]) {
      const next = socket()
      next.open()
      expect(next.sent).toEqual([[2, 1, 'path', 'input', { timeout: 300, metadata: { a: 'b' }, key: 'k', attempt }]])
      if (attempt === 3) next.say([7, 1, 'at last'])
      else next.lose()
    }
    expect(await awaited).toBe('at last')
    expect(owner.ended).toHaveBeenCalledTimes(1)
  })

  it('says which memory it was sent to before, and that of several it is none', () => {
    const { lose, socket } = make()
    lose()
    const said = ['a', 'a', 'a', 'b', 'b', 'a'].map((epoch) => {
      const next = socket(epoch)
      next.open()
      next.lose()
      return next.sent[0]![4]
    })
    expect(said).toEqual([
      undefined,
      { attempt: 2, epoch: 'a' },
      { attempt: 3, epoch: 'a' },
      { attempt: 4, epoch: 'a' },
      { attempt: 5, epoch: '' },
      { attempt: 6, epoch: '' },
    ])
  })

  it('is sent once to each socket', () => {
    const { open, sent } = opened()
    open()
    expect(sent).toHaveLength(1)
  })

  it('does not hear what a lost socket says late', async () => {
    const { call, lose, say, socket } = opened()
    lose()
    say([7, 1, 'late'])
    const next = socket()
    next.open()
    expect(call.ended).toBe(false)
    next.say([7, 1, 'result'])
    expect(await call).toBe('result')
  })

  it('that ends while it is on no socket may have run, and tells nobody but its user', async () => {
    const { call, sent, lose } = opened()
    lose()
    call.end('UNAVAILABLE', 'is lost')
    expect(await outcome(call)).toEqual(['UNAVAILABLE', 'unknown'])
    expect(sent).toHaveLength(1)
  })

  it('says why there was no connection, when it runs out of time without one', async () => {
    const { call, owner } = make()
    owner.problem.mockReturnValue('no server')
    call.expire()
    expect((await failure(call)).message).toBe('"path" expired: no server')
    expect(await outcome(call)).toEqual(['DEADLINE_EXCEEDED', 'no'])
  })

  it('is told to the other end, when it runs out of time', async () => {
    const { call, sent } = opened({ timeout: 50 })
    call.expire()
    expect(await outcome(call)).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    expect(sent.slice(1)).toEqual([[3, 1]])
  })

  it('has the deadline of its own timeout, of its client, or of the longest timer', () => {
    vi.useFakeTimers()
    const remaining = (timeout?: number) => make({ timeout }).call.deadline! - Date.now()
    expect([remaining(), remaining(5), remaining(Number.POSITIVE_INFINITY)]).toEqual([30_000, 5, 2 ** 31 - 1])
  })

  it('that cannot be encoded was not executed, and says why', async () => {
    const input: unknown[] = []
    input.push(input)
    const { call, owner } = make({}, { input })
    expect(call.ended).toBe(true)
    expect(owner.ended).toHaveBeenCalledTimes(1)
    expect(await outcome(call)).toEqual(['INVALID_ARGUMENT', 'no'])
    expect((await failure(call)).cause).toBeInstanceOf(TypeError)
  })

  it('that is too large was not executed', async () => {
    const { call, open, sent } = make({}, { input: 'x'.repeat(100), message: 100 })
    open()
    expect(await outcome(call)).toEqual(['INVALID_ARGUMENT', 'no'])
    expect(sent).toEqual([])
  })

  it('that has a stream is sent again without it', () => {
    const sender = { run: vi.fn(), grant: vi.fn(), close: vi.fn() }
    const upload = vi.fn(() => sender as never)
    const { call } = make({ stream: [1] })
    for (const attempt of [1, 2]) {
      const outbox = { push: vi.fn(), flush() {} }
      const peer = createPeer(createLine(outbox, jsonCodec, PEER_LIMITS, 1), { upload })
      call.open(peer)
      expect(outbox.push.mock.calls[0]![0]).toBe(`[2,1,"path","input"${attempt > 1 ? ',{"attempt":2}' : ''}]`)
      peer.close(new RpcError('UNAVAILABLE'))
      expect([upload.mock.calls.length, sender.close.mock.calls.length]).toEqual([1, 1])
    }
  })

  it('that has a stream fails at an end that sends none', async () => {
    const { call, open, sent } = make({ stream: [1] })
    open()
    expect((await outcome(call))[0]).toBe('UNIMPLEMENTED')
    expect(sent).toEqual([])
  })
})

describe('a signal', () => {
  it('that has fired ends the call before it is sent', async () => {
    const reason = new Error('mine')
    const { call, owner } = make({ signal: AbortSignal.abort(reason) })
    expect([call.ended, owner.ended.mock.calls.length]).toEqual([true, 1])
    expect(await outcome(call)).toEqual(['CANCELLED', 'no'])
    expect((await failure(call)).cause).toBe(reason)
  })

  it('ends a call that has been sent, at both ends', async () => {
    const controller = new AbortController()
    const { call, sent, say } = opened({ signal: controller.signal })
    const awaited = outcome(call)
    controller.abort()
    say([7, 1, 'too late'])
    expect(await awaited).toEqual(['CANCELLED', 'unknown'])
    expect(sent.slice(1)).toEqual([[3, 1]])
  })

  it('does nothing to a call that has ended, and is let go of', async () => {
    const controller = new AbortController()
    const add = vi.spyOn(controller.signal, 'addEventListener')
    const remove = vi.spyOn(controller.signal, 'removeEventListener')
    const { call, sent, say } = opened({ signal: controller.signal })
    say([7, 1, 'result'])
    controller.abort()
    expect(await call).toBe('result')
    expect(sent).toHaveLength(1)
    expect(remove.mock.calls).toEqual(add.mock.calls)
  })
})

describe('a subscription', () => {
  it('is iterated to its end', async () => {
    const { call, say, owner, unread } = opened()
    say([9, 1, 'early'])
    const got = read(call)
    say([9, 1, 'a'], [9, 1, 'b', 'e.1'])
    say([10, 1])
    expect(await got).toEqual(['early', 'a', 'b'])
    expect(owner.streams).toHaveBeenCalledWith(call)
    expect(owner.ended).toHaveBeenCalledTimes(1)
    expect(unread()).toBe(0)
  })

  it('throws what it ends with, after the events before', async () => {
    const { call, say } = opened()
    say([9, 1, 'a'], [8, 1, gone])
    expect(await read(call)).toEqual(['a', 'NOT_FOUND'])
  })

  it('has a deadline only where its user set one', () => {
    for (const [timeout, has] of [
      [undefined, false],
      [500, true],
    ] as const) {
      const { call } = opened({ timeout })
      call[Symbol.asyncIterator]()
      expect(call.deadline !== undefined).toBe(has)
    }
  })

  it('grants what is asked for once it has been read', async () => {
    const { call, say, sent } = opened()
    const events = call[Symbol.asyncIterator]()
    say([9, 1, 'a'], [6, 1, -100], [9, 1, 'b'])
    await events.next()
    expect(sent).toHaveLength(1)
    await events.next()
    expect(sent.slice(1)).toEqual([[6, 1, 100]])
  })

  it('is cancelled by a loop that leaves it, and holds nothing of it', async () => {
    const { call, say, sent, unread, owner } = opened()
    say([9, 1, 'a'], [9, 1, 'b'])
    for await (const _ of call) break
    expect(sent.slice(1)).toEqual([[3, 1]])
    say([9, 1, 'c'], [10, 1])
    expect([unread(), owner.ended.mock.calls.length]).toEqual([0, 1])
  })

  it('that is awaited fails, and is cancelled', async () => {
    const { call, say, sent } = opened()
    const awaited = outcome(call)
    say([9, 1, 'a'], [9, 1, 'b'])
    expect(await awaited).toEqual(['UNIMPLEMENTED', 'unknown'])
    expect((await failure(call)).message).toBe('"path" is a subscription')
    expect(sent.slice(1)).toEqual([[3, 1]])
  })
})

describe('a subscription that lost its socket', () => {
  /** One that is being read, with what came after it was lost, told apart from what came before. */
  const reading = (settings?: CallSettings, onGap = true) => {
    const made = opened(settings)
    const heard: unknown[] = []
    const stop = made.call.subscribe({
      onData: (event: never) => heard.push(event),
      onError: ({ code }) => heard.push(code),
      onDone: () => heard.push('done'),
      ...(onGap && { onGap: ({ reason }) => heard.push(`gap: ${reason}`) }),
    })
    return { ...made, heard, stop }
  }
  const options = ({ sent }: { sent: Message[] }) => sent[0]?.[4]

  it('goes on after the last event that had an id, and says nothing of it', async () => {
    const { say, lose, socket, heard } = reading()
    say([9, 1, 'a', 'e.1'], [9, 1, 'b', 'e.2'], [9, 1, 'untracked'])
    await nextTask()
    lose()
    const next = socket()
    next.open()
    expect(options(next)).toEqual({ lastEventId: 'e.2', attempt: 2 })
    next.say([9, 1, 'c', 'e.3'], [10, 1])
    await nextTask()
    expect(heard).toEqual(['a', 'b', 'untracked', 'c', 'done'])
  })

  it('goes on after the position that it was told, where no event came, and after the one its user gave', async () => {
    for (const [settings, told, expected] of [
      [{}, [[14, 1, 'e.7']], 'e.7'],
      [{ lastEventId: 'e.3' }, [], 'e.3'],
      [{ lastEventId: 'e.3' }, [[14, 1, 'e.7']], 'e.7'],
      [
        {},
        [
          [14, 1, 'e.7'],
          [9, 1, 'a', 'e.8'],
        ],
        'e.8',
      ],
      [
        {},
        [
          [9, 1, 'a', 'e.8'],
          [14, 1, 'e.9'],
          [9, 1, 'b'],
        ],
        'e.9',
      ],
    ] as [CallSettings, Message[], string][]) {
      const { call, say, lose, socket } = reading(settings)
      expect(call.resumes()).toBe(!!settings.lastEventId)
      if (told.length) say(...told)
      await nextTask()
      expect(call.resumes()).toBe(true)
      lose()
      const next = socket()
      next.open()
      expect(options(next)).toEqual({ lastEventId: expected, attempt: 2 })
    }
  })

  it('goes on after the position it was told by a socket that it lost next', () => {
    const { lose, socket } = reading({ lastEventId: 'e.1' })
    lose()
    for (const id of ['e.5', 'e.9']) {
      const next = socket()
      next.open()
      next.say([14, 1, id])
      next.lose()
    }
    const last = socket()
    last.open()
    expect(options(last)).toEqual({ lastEventId: 'e.9', attempt: 4 })
  })

  it.each<[string, Message[]]>([
    ['before any event', []],
    [
      'after events without ids',
      [
        [9, 1, 'a'],
        [9, 1, 'b'],
      ],
    ],
  ])('%s is run anew, and tells its user each time that it lost its place', async (_name, before) => {
    const { say, lose, socket, heard } = reading()
    if (before.length) say(...before)
    await nextTask()
    lose()
    // What came of a run that was lost as well is missing, too.
    for (const attempt of [2, 3]) {
      const next = socket()
      next.open()
      expect(options(next)).toEqual({ attempt })
      await nextTask()
      if (attempt === 3) next.say([9, 1, 'anew'])
      else next.lose()
    }
    await nextTask()
    const gaps = ['gap: untracked', 'gap: untracked']
    expect(heard).toEqual([...before.map(([, , event]) => event), ...gaps, 'anew'])
  })

  it('tells the gap when it has been sent again: who then asks for the state anew asks behind it', async () => {
    const { call, lose, socket } = opened()
    const next = socket()
    const sent: number[] = []
    call.subscribe({ onGap: () => sent.push(next.sent.length) })
    lose()
    next.open()
    await nextTask()
    expect(sent).toEqual([1])
  })

  it('tells an iterator of the gap by the option, and goes on', async () => {
    const heard: unknown[] = []
    const { call, say, lose, socket } = opened({ onGap: ({ reason }) => heard.push(`gap: ${reason}`) })
    const reading = (async () => {
      for await (const event of call) heard.push(event)
      heard.push('done')
    })()
    say([9, 1, 'a'])
    await nextTask()
    lose()
    const next = socket()
    next.open()
    next.say([9, 1, 'b'], [10, 1])
    await reading
    expect(heard).toEqual(['a', 'gap: untracked', 'b', 'done'])
  })

  it('again, after it has heard something, has lost its place again', async () => {
    const { lose, socket, heard } = reading()
    lose()
    for (const event of ['a', 'b']) {
      const next = socket()
      next.open()
      next.say([9, 1, event])
      await nextTask()
      next.lose()
    }
    expect(heard).toEqual(['gap: untracked', 'a', 'gap: untracked', 'b'])
  })

  it('without a place and without onGap ends with DATA_LOSS, and is not sent', async () => {
    const { call, say, lose, socket, owner } = opened()
    const got = read(call)
    say([9, 1, 'a'])
    lose()
    const next = socket()
    next.open()
    expect([await got, next.sent, owner.ended.mock.calls.length]).toEqual([['a', 'DATA_LOSS'], [], 1])
    const { heard, ...other } = reading({}, false)
    other.lose()
    other.socket().open()
    await nextTask()
    expect(heard).toEqual(['DATA_LOSS'])
  })

  it('whose log was reset or trimmed says so once, and goes on afresh', async () => {
    const { say, lose, socket, heard, owner, call } = reading()
    say([9, 1, 'a', 'e.1'])
    await nextTask()
    lose()
    const next = socket()
    next.open()
    next.say([8, 1, { code: 'DATA_LOSS' }])
    expect(owner.again.mock.calls).toEqual([[call, 0]])
    next.open()
    expect(next.sent).toHaveLength(2)
    expect(next.sent[1]![4] ?? {}).not.toHaveProperty('lastEventId')
    next.say([14, 1, 'f.0'], [9, 1, 'b', 'f.1'])
    await nextTask()
    expect(heard).toEqual(['a', 'gap: lost', 'b'])
    next.lose()
    const after = socket()
    after.open()
    expect(options(after)).toMatchObject({ lastEventId: 'f.1' })
    expect(owner.ended).not.toHaveBeenCalled()
  })

  it('whose log fails without its having had a place in it ends with that', async () => {
    const { say, heard } = reading()
    say([8, 1, { code: 'DATA_LOSS' }])
    await nextTask()
    expect(heard).toEqual(['DATA_LOSS'])
  })

  it('whose log was reset ends with DATA_LOSS without onGap, and where it cannot be sent again', async () => {
    for (const [onGap, again] of [
      [false, true],
      [true, false],
    ] as const) {
      const { say, heard, owner } = reading({ lastEventId: 'e.1' }, onGap)
      owner.again.mockReturnValue(again)
      say([8, 1, { code: 'DATA_LOSS' }])
      await nextTask()
      expect([heard, owner.ended.mock.calls.length]).toEqual([['DATA_LOSS'], 1])
    }
    const { call, say } = opened({ lastEventId: 'e.1' })
    const got = read(call)
    say([8, 1, { code: 'DATA_LOSS' }])
    expect(await got).toEqual(['DATA_LOSS'])
  })

  it('that the other end lost before it was sent is called again, once its gap was told, also without an id', async () => {
    const { say, heard, owner, call, sent, socket } = reading()
    say([9, 1, 'a'], [8, 1, { code: 'DATA_LOSS', executed: 'no' }])
    expect(owner.again).toHaveBeenCalledWith(call, 0)
    const next = socket()
    next.open()
    await nextTask()
    next.open()
    next.say([9, 1, 'b'], [10, 1])
    await nextTask()
    expect([heard, sent.length]).toEqual([['a', 'gap: lost', 'b', 'done'], 1])
  })

  it.each([
    [true, ['a', 'gap: untracked', 'b', 'done']],
    [false, ['a', 'b', 'done']],
  ])('whose handler started anew goes on, and says so where it was asked to (%s)', async (onGap, expected) => {
    const { say, heard, sent } = reading({}, onGap)
    say([9, 1, 'a'], [14, 1], [9, 1, 'b'], [10, 1])
    await nextTask()
    expect([heard, sent.length]).toEqual([expected, 1])
  })

  it('reports what onGap throws or rejects with, and goes on', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const onGap of [
      () => {
        throw new Error('mine')
      },
      () => Promise.reject(new Error('mine')),
    ]) {
      const { call, lose, socket } = opened()
      const onData = vi.fn()
      call.subscribe({ onData, onGap })
      lose()
      const next = socket()
      next.open()
      next.say([9, 1, 'anew'])
      await nextTask()
      expect(onData.mock.calls).toEqual([['anew']])
    }
    expect(print).toHaveBeenCalledTimes(2)
  })

  it('tells no gap once it was left', async () => {
    const { stop, lose, socket, heard, call } = reading()
    lose()
    stop()
    expect(call.ended).toBe(true)
    socket().open()
    await nextTask()
    expect(heard).toEqual([])
  })

  describe('while events lie unread', () => {
    it('is sent again only when they have been read', async () => {
      const { call, say, lose, socket, owner } = opened()
      const events = call[Symbol.asyncIterator]()
      say([9, 1, 'a', 'e.1'], [6, 1, -100], [9, 1, 'b', 'e.2'])
      lose()
      const next = socket()
      next.open()
      await events.next()
      expect([next.sent, owner.again.mock.calls]).toEqual([[], []])
      await events.next()
      const third = events.next()
      await nextTask()
      expect(owner.again.mock.calls).toEqual([[call, 0]])
      next.open()
      // What the lost socket asked for is not granted to the new one.
      expect(next.sent).toEqual([[2, 1, 'path', 'input', { lastEventId: 'e.2', attempt: 2 }]])
      next.say([9, 1, 'c', 'e.3'])
      expect(await third).toEqual({ done: false, value: 'c' })
    })

    it('holds no more of them, however many sockets are lost', async () => {
      const { call, say, lose, socket, unread, owner } = opened()
      const events = call[Symbol.asyncIterator]()
      say([9, 1, 'a', 'e.1'])
      const before = unread()
      lose()
      for (let i = 0; i < 20; i++) {
        const next = socket()
        next.open()
        next.say([9, 1, 'more', 'e.2'])
        next.lose()
      }
      expect(unread()).toBe(before)
      await events.next()
      events.next()
      await nextTask()
      expect(unread()).toBe(0)
      const last = socket()
      last.open()
      last.open()
      expect(owner.again).toHaveBeenCalled()
      expect(last.sent).toEqual([[2, 1, 'path', 'input', { lastEventId: 'e.1', attempt: 2 }]])
    })

    it('tells of a lost place where they end', async () => {
      const { call, say, lose, socket, owner } = opened()
      const heard: unknown[] = []
      let dealt = () => {}
      const hear = (what: unknown) => {
        heard.push(what)
        return new Promise<void>((resolve) => {
          dealt = resolve
        })
      }
      call.subscribe({ onData: hear, onGap: ({ reason }) => hear(reason) })
      say([9, 1, 'a'], [9, 1, 'b'])
      await nextTask()
      lose()
      const next = socket()
      owner.again.mockImplementation(() => {
        next.open()
        return true
      })
      next.open()
      await nextTask()
      expect([heard, next.sent]).toEqual([['a'], []])
      dealt()
      await nextTask()
      expect([heard, next.sent]).toEqual([['a', 'b'], []])
      dealt()
      await nextTask()
      expect([heard, next.sent]).toEqual([['a', 'b', 'untracked'], [[2, 1, 'path', 'input', { attempt: 2 }]]])
      next.say([9, 1, 'anew'])
      await nextTask()
      expect(heard).toEqual(['a', 'b', 'untracked', 'anew'])
    })
  })
})

describe('the id of the last event', () => {
  it('is that of the last one read, at first the one that was given; no event without an id changes it', async () => {
    const { call, say } = opened({ lastEventId: 'e.1' })
    const events = call[Symbol.asyncIterator]()
    say([9, 1, 'a', 'e.2'], [9, 1, 'b'], [9, 1, 'c', 'e.3'], [14, 1, 'e.9'])
    const ids = [call.lastEventId]
    for (let i = 0; i < 3; i++) {
      await events.next()
      ids.push(call.lastEventId)
    }
    expect(ids).toEqual(['e.1', 'e.2', 'e.2', 'e.3'])
    say([8, 1, gone])
    await events.next().catch(() => {})
    expect(call.lastEventId).toBe('e.3')
    expect(opened().call.lastEventId).toBeUndefined()
  })
})

describe('a call that was refused for the moment', () => {
  const refusal = { code: 'RESOURCE_EXHAUSTED', executed: 'no', retryAfter: 250 }

  it('is sent again as if for the first time, under a new id, and its user hears nothing of it', async () => {
    const { call, say, sent, owner, open } = opened()
    say([8, 1, refusal])
    expect(owner.again.mock.calls).toEqual([[call, 250]])
    expect([call.ended, call.id]).toEqual([false, 0])
    call.id = 3
    open()
    expect(sent).toEqual([
      [2, 1, 'path', 'input'],
      [2, 3, 'path', 'input'],
    ])
    say([7, 3, 'result'])
    expect(await call).toBe('result')
  })

  it.each<[string, object, CallSettings, boolean]>([
    ['that there is no time for that', {}, {}, false],
    ['that it ran', { executed: 'yes' }, {}, true],
    ['of no time to wait', { retryAfter: undefined }, {}, true],
    ['of something else', { code: 'UNAVAILABLE' }, {}, true],
  ])('ends where it is told %s', async (_name, change, settings, again) => {
    const { call, open, say, owner } = make(settings, { again })
    open()
    say([8, 1, { ...refusal, ...change }])
    expect((await outcome(call))[0]).toBe({ ...refusal, ...change }.code)
    expect(owner.ended).toHaveBeenCalledTimes(1)
  })

  it('and may have run before is sent again as it was', async () => {
    const { call, owner, lose, socket } = opened()
    lose()
    const next = socket()
    next.open()
    next.say([8, 1, { ...refusal, executed: 'unknown' }])
    expect(owner.again.mock.calls).toEqual([[call, 250]])
    next.open()
    expect(next.sent[1]![4]).toMatchObject({ attempt: 3 })
    next.say([8, 1, { ...refusal, executed: 'unknown', retryAfter: undefined }])
    expect(await outcome(call)).toEqual(['RESOURCE_EXHAUSTED', 'unknown'])
  })

  it('was not executed, where its user gives up meanwhile', async () => {
    const { call, say, sent } = opened()
    say([8, 1, refusal])
    call.end('CANCELLED', 'aborted')
    expect(await outcome(call)).toEqual(['CANCELLED', 'no'])
    expect(sent).toHaveLength(1)
  })
})

describe('a query that is iterated', () => {
  it.each(['before', 'after'])('says that it is no subscription, %s its result', async (when) => {
    const { call, say } = opened()
    const early = when === 'before' ? read(call) : undefined
    say([7, 1, 'result'])
    expect(await (early ?? read(call))).toEqual(['UNIMPLEMENTED'])
    const events = call[Symbol.asyncIterator]()
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('throws its own error, where it has one', async () => {
    const { call, say } = opened()
    say([8, 1, gone])
    expect(await read(call)).toEqual(['NOT_FOUND'])
  })
})

describe('subscribe', () => {
  const listen = (settings?: CallSettings) => {
    const made = opened(settings)
    const heard: unknown[] = []
    const handlers = {
      onData: (event: never): unknown => heard.push(event),
      onError: ({ code }: RpcError) => heard.push(code),
      onDone: () => heard.push('done'),
    }
    return { ...made, heard, handlers }
  }

  it('tells each event in order, and the end', async () => {
    const { call, say, heard, handlers } = listen()
    call.subscribe(handlers)
    say([9, 1, 'a'], [9, 1, 'b'], [10, 1])
    await nextTask()
    expect(heard).toEqual(['a', 'b', 'done'])
  })

  it('tells the error it ends with, instead', async () => {
    const { call, say, heard, handlers } = listen()
    call.subscribe(handlers)
    say([9, 1, 'a'], [8, 1, gone])
    await nextTask()
    expect(heard).toEqual(['a', 'NOT_FOUND'])
  })

  it('tells the next event when the last has been dealt with', async () => {
    const { call, say, heard, handlers, unread } = listen()
    let dealt = () => {}
    const onData = (event: never) => {
      heard.push(event)
      return new Promise<void>((resolve) => {
        dealt = resolve
      })
    }
    call.subscribe({ ...handlers, onData })
    say([9, 1, 'a'], [9, 1, 'b'], [10, 1])
    await nextTask()
    expect(heard).toEqual(['a'])
    expect(unread()).toBeGreaterThan(0)
    dealt()
    await nextTask()
    expect(heard).toEqual(['a', 'b'])
    dealt()
    await nextTask()
    expect(heard).toEqual(['a', 'b', 'done'])
  })

  it('tells nothing any more once it was stopped, and cancels', async () => {
    const { call, say, heard, handlers, sent, unread } = listen()
    const stop = call.subscribe(handlers)
    say([9, 1, 'a'])
    await nextTask()
    say([9, 1, 'b'])
    stop()
    stop()
    say([9, 1, 'c'], [10, 1])
    await nextTask()
    expect(heard).toEqual(['a'])
    expect(sent.slice(1)).toEqual([[3, 1]])
    expect(unread()).toBe(0)
  })

  it('can be stopped by what it tells', async () => {
    const { call, say, heard, handlers } = listen()
    const stop = call.subscribe({ ...handlers, onData: (event) => [heard.push(event), stop()] })
    say([9, 1, 'a'], [9, 1, 'b'], [10, 1])
    await nextTask()
    expect(heard).toEqual(['a'])
  })

  it('tells of an abort', async () => {
    const controller = new AbortController()
    const { call, heard, handlers } = listen({ signal: controller.signal })
    call.subscribe(handlers)
    controller.abort()
    await nextTask()
    expect(heard).toEqual(['CANCELLED'])
  })

  it('ends, at both ends, with what onData throws', async () => {
    const { call, say, handlers, sent } = listen()
    const onError = vi.fn()
    const mine = new Error('mine')
    call.subscribe({ ...handlers, onError, onData: () => Promise.reject(mine) })
    say([9, 1, 'a'])
    await nextTask()
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: 'UNKNOWN', cause: mine })]])
    expect(sent.slice(1)).toEqual([[3, 1]])
  })

  it('prints an error that nobody asked for', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { call, say } = opened()
    call.subscribe({})
    say([8, 1, gone])
    await nextTask()
    expect(print).toHaveBeenCalledTimes(1)
    expect(print.mock.lastCall!.at(-1)).toMatchObject({ code: 'NOT_FOUND' })
  })
})
