import { RpcError } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type CallSettings, createCall } from './call.ts'
import { jsonCodec } from './codec.ts'
import { createLine } from './line.ts'
import { type Message, PEER_LIMITS } from './messages.ts'
import { createPeer } from './peer.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** A call, and the other end of the line that carries it. */
const make = (settings: CallSettings = {}, { input = 'input' as unknown, message = 1_000 } = {}) => {
  const sent: Message[] = []
  const outbox = { push: (text: string) => sent.push(JSON.parse(text)), flush() {} }
  const line = createLine(outbox, jsonCodec, { ...PEER_LIMITS, message }, 1)
  let unread = 0
  const { weigh } = line
  line.weigh = (change) => {
    unread += change
    weigh(change)
  }
  const peer = createPeer(line, {})
  const owner = { ended: vi.fn(), streams: vi.fn() }
  const call = createCall(owner, jsonCodec, 'path', input, settings, 30_000)
  return {
    call,
    owner,
    sent,
    unread: () => unread,
    open: () => call.open(peer),
    say: (...messages: Message[]) => peer.handle({ messages, bytes: undefined, size: 0 }),
    lose: () => peer.close(new RpcError('UNAVAILABLE', 'lost', { executed: 'unknown' })),
  }
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

  it('ends with its socket', async () => {
    const { call, lose } = opened()
    const awaited = outcome(call)
    lose()
    expect(await awaited).toEqual(['UNAVAILABLE', 'unknown'])
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
