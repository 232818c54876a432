import type { RpcError } from '@pairwire/contract'
import { createOutbox, createRichCodec, richTypes, type Socket, upload } from '@pairwire/wire'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createConnection, type StateDetail } from './connection.ts'
import type { Connect, ConnectionOptions } from './connection-options.ts'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  readyState = 0
  readonly frames: (string | Uint8Array)[] = []
  heard: unknown[][] = []
  readonly closed = vi.fn()
  readonly #listeners = new Map<string, (event: unknown) => void>()

  addEventListener(type: string, listener: (event: any) => void) {
    this.#listeners.set(type, listener)
  }
  send(data: string | Uint8Array) {
    this.frames.push(data)
    // Of a binary frame the text will do.
    const text =
      typeof data === 'string'
        ? data
        : new TextDecoder().decode(data.subarray(4, 4 + new DataView(data.buffer).getUint32(0)))
    const frame = JSON.parse(text)
    this.heard.push(...(Array.isArray(frame[0]) ? frame : [frame]))
  }
  close(code: number, reason: string) {
    this.closed(code, reason)
  }
  emit(type: string, event: object = {}) {
    this.#listeners.get(type)?.(event)
  }
  open() {
    this.readyState = 1
    this.emit('open')
  }
  say(...messages: unknown[]) {
    this.emit('message', { data: JSON.stringify(messages) })
  }
  welcome(limits = {}, fields = {}) {
    this.open()
    this.say([1, { limits: { window: 262_144, message: 1_048_576, calls: 256, ...limits }, ...fields }])
  }
  lose(code = 1006, reason = '') {
    this.emit('close', { code, reason })
  }
  /** The calls that have come. */
  get calls() {
    return this.heard
      .filter(([op]) => op === 2)
      .map(([, id, path, , options]) => [path, id, ...(options ? [options] : [])])
  }
  get paths() {
    return this.calls.map(([path]) => path)
  }
  get hello() {
    const [, , session, options] = this.heard[0]!
    return { session, ...(options as { params: unknown; next: number }) }
  }
}

const features = { codec: createRichCodec(64, richTypes), outbox: createOutbox, upload }

const outcome = (call: PromiseLike<unknown>): PromiseLike<any> =>
  call.then(
    (value) => value,
    ({ code, executed }: RpcError) => `${code} ${executed}`,
  )

interface Options extends ConnectionOptions {
  connect?: Connect
}
const make = ({ connect, ...options }: Options = {}) => {
  const sockets: FakeSocket[] = []
  const made = () => {
    const socket = new FakeSocket()
    sockets.push(socket)
    return socket
  }
  const settings = { reconnect: { minDelay: 100, maxDelay: 10_000 }, ...options }
  const connection = createConnection('ws://fake/', connect ?? made, settings, features)
  const states: unknown[] = []
  connection.on('state', (state, { code, reason }) => states.push(code === undefined ? state : [state, code, reason]))
  /** The outcomes of calls of these paths, one string for each. */
  const call = (...paths: string[]) => paths.map((path) => outcome(connection.call(path, 1)))
  /** Opens the socket that was made last. */
  const welcome = async (limits?: object, fields?: object) => {
    await pass()
    sockets.at(-1)!.welcome(limits, fields)
    await pass()
    return sockets.at(-1)!
  }
  return { connection, sockets, states, call, welcome }
}
/** A connection with its first socket, up to some point. */
const connecting = async (options?: Options) => {
  const made = make(options)
  const early = made.call('early')[0]!
  await pass()
  return { ...made, early, socket: made.sockets[0]! }
}
const open = async (options?: Options, limits?: object, fields?: object) => {
  const made = await connecting(options)
  made.socket.welcome(limits, fields)
  await pass()
  made.socket.say([7, 1, 'done'])
  await made.early
  made.socket.heard = []
  made.states.length = 0
  return made
}
const waiting = async (options?: Options) => {
  const made = await open(options)
  made.socket.lose()
  made.states.length = 0
  return made
}
const closed = async (options?: Options) => {
  const made = await open(options)
  made.connection.close()
  made.states.length = 0
  return made
}
const idle = async (options?: Options) => ({ ...make(options), socket: new FakeSocket() })

/** The page, or worker, around the connection. */
const page = (onLine: boolean | undefined = true) => {
  const navigator = { onLine }
  const listeners = new Set<string>()
  const tell = new Map<string, () => void>()
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
    listeners.add(type)
    tell.set(type, listener)
  })
  vi.stubGlobal('removeEventListener', (type: string, listener: () => void) => {
    expect(listener).toBe(tell.get(type))
    listeners.delete(type)
  })
  return {
    navigator,
    listeners,
    fire(type: string) {
      if (listeners.has(type)) tell.get(type)!()
    },
  }
}
const WAKING = ['online', 'pageshow', 'visibilitychange']

describe('a connection', () => {
  it('opens no socket until it is needed, and then one', async () => {
    const { connection, sockets, call } = make()
    await pass()
    expect([connection.state, sockets.length]).toEqual(['idle', 0])
    call('a', 'b')
    await pass()
    expect([connection.state, sockets.length]).toEqual(['connecting', 1])
  })

  it('that is not lazy opens its socket by itself, and another when that is lost', async () => {
    const { connection, sockets, welcome } = make({ lazy: false })
    expect(connection.state).toBe('connecting')
    await welcome()
    expect([connection.state, sockets.length]).toEqual(['open', 1])
    sockets[0]!.lose()
    await pass(100)
    await welcome()
    expect([connection.state, sockets.length]).toEqual(['open', 2])
  })

  it('goes from state to state, and tells each one', async () => {
    const { connection, states, socket, welcome } = await connecting()
    expect(states).toEqual(['connecting'])
    socket.open()
    expect(connection.state).toBe('connecting')
    socket.welcome()
    expect(connection.state).toBe('open')
    socket.lose(4100, 'why')
    expect(connection.state).toBe('waiting')
    await pass(100)
    expect(connection.state).toBe('connecting')
    await welcome()
    connection.close()
    expect(states).toEqual(['connecting', 'open', ['waiting', 4100, 'why'], 'connecting', 'open', 'closed'])
  })

  const states = { idle, connecting, open, waiting, closed }
  it.each<[keyof typeof states, string, string]>([
    ['idle', 'call', 'connecting'],
    ['idle', 'reconnect', 'connecting'],
    ['idle', 'close', 'closed'],
    ['connecting', 'call', 'connecting'],
    ['connecting', 'welcome', 'open'],
    ['connecting', 'lose', 'waiting'],
    ['connecting', 'refuse', 'closed'],
    ['connecting', 'reconnect', 'connecting'],
    ['connecting', 'close', 'closed'],
    ['connecting', 'time', 'waiting'],
    ['open', 'call', 'open'],
    ['open', 'lose', 'waiting'],
    ['open', 'refuse', 'closed'],
    ['open', 'reconnect', 'connecting'],
    ['open', 'close', 'closed'],
    ['open', 'time', 'open'],
    ['waiting', 'call', 'waiting'],
    ['waiting', 'reconnect', 'connecting'],
    ['waiting', 'close', 'closed'],
    ['waiting', 'time', 'connecting'],
    ['closed', 'call', 'closed'],
    ['closed', 'reconnect', 'connecting'],
    ['closed', 'close', 'closed'],
    ['closed', 'time', 'closed'],
  ])('that is %s, at %s, is %s', async (from, event, to) => {
    const { connection, socket, states: told } = await states[from]()
    told.length = 0
    expect(connection.state).toBe(from)
    if (event === 'call') connection.call('path', 1)
    if (event === 'welcome') socket.welcome()
    if (event === 'lose') socket.lose()
    if (event === 'refuse') socket.lose(4003)
    if (event === 'reconnect') connection.reconnect()
    if (event === 'close') connection.close()
    if (event === 'time') await pass(from === 'connecting' ? 10_000 : 100)
    expect(connection.state).toBe(to)
    expect(told.map((each) => [each].flat()[0])).toEqual(from === to ? [] : [to])
  })

  it('tells its state to those who listen, until they stop, and why it changed', async () => {
    const { connection, socket } = await connecting()
    const [one, other] = [vi.fn(), vi.fn((_state: string, _detail: StateDetail) => {})]
    const stop = connection.on('state', one)
    connection.on('state', other)
    socket.welcome({}, { epoch: 'a' })
    stop()
    stop()
    socket.lose(1001, 'bye')
    expect(one.mock.calls).toEqual([['open', { resumed: false }]])
    expect(other.mock.calls).toEqual([
      ['open', { resumed: false }],
      ['waiting', { code: 1001, reason: 'bye', delay: 100 }],
    ])
  })

  it('reports what a listener throws or rejects with, and tells the others', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { connection } = make()
    const heard = vi.fn()
    connection.on('state', () => {
      throw new Error('mine')
    })
    connection.on('state', () => Promise.reject(new Error('mine')) as never)
    connection.on('state', heard)
    connection.close()
    await pass()
    expect(heard).toHaveBeenCalledTimes(1)
    expect(print).toHaveBeenCalledTimes(2)
  })

  it('says hello first, with what it is and takes', async () => {
    const { socket } = await connecting({ params: async () => ({ token: 't' }), timeout: 5_000, window: 1_000 })
    expect(socket.heard).toEqual([])
    socket.open()
    const options = { codec: 'rich', timeout: 5_000, window: 1_000, short: true, params: { token: 't' } }
    expect(socket.heard[0]).toEqual([0, 1, expect.stringMatching(/^.{10,128}$/), options])
  })

  it('is one session over all of its sockets, and none of another connection', async () => {
    const sessions: unknown[] = []
    for (let n = 0; n < 2; n++) {
      const { sockets, socket } = await connecting()
      socket.welcome()
      socket.lose()
      await pass(100)
      sockets[1]!.open()
      for (const { hello } of sockets) sessions.push(hello.session)
    }
    expect(sessions[1]).toBe(sessions[0])
    expect(sessions[2]).not.toBe(sessions[0])
  })

  it('says of an open socket whether the server still knows what it was sent', async () => {
    const { connection, sockets, socket } = await connecting()
    const resumed: unknown[] = []
    connection.on('state', (state, detail) => state === 'open' && resumed.push(detail.resumed))
    socket.welcome({}, { epoch: 'a' })
    for (const epoch of ['a', 'b', 'b', 'a']) {
      sockets.at(-1)!.lose()
      await pass(10_000)
      sockets.at(-1)!.welcome({}, { epoch })
    }
    expect(resumed).toEqual([false, true, false, true, false])
  })

  it('asks for its params anew for each socket', async () => {
    const params = vi.fn(() => params.mock.calls.length)
    const { sockets, socket } = await connecting({ params })
    socket.open()
    socket.lose()
    await pass(100)
    sockets[1]!.open()
    expect(sockets.map(({ hello }) => hello.params)).toEqual([1, 2])
  })

  it('takes a socket that is open, and a promise of one', async () => {
    const socket = new FakeSocket()
    socket.readyState = 1
    const { call } = make({ connect: async () => socket })
    call('a')
    await pass()
    expect(socket.heard.map(([op]) => op)).toEqual([0])
  })

  it.each<[string, Options]>([
    ['params', { params: () => Promise.reject(new Error('mine')) }],
    [
      'params',
      {
        params: () => {
          throw new Error('mine')
        },
      },
    ],
    ['connect', { connect: () => Promise.reject(new Error('mine')) }],
    [
      'connect',
      {
        connect: () => {
          throw new Error('mine')
        },
      },
    ],
    ['params, that cannot be encoded,', { params: () => () => {} }],
  ])('tries again when %s fails, and a call that runs out of time says why', async (_name, options) => {
    const { connection, states } = make(options)
    const call: Promise<any> = connection.call('a', 1, { timeout: 250 }).catch((error) => error)
    await pass(299)
    expect(states).toEqual([
      'connecting',
      ['waiting', 0, expect.any(String)],
      'connecting',
      ['waiting', 0, expect.any(String)],
    ])
    expect(await call).toMatchObject({ code: 'DEADLINE_EXCEEDED', executed: 'no' })
    expect((await call).message).toMatch(/^"a" expired: could not connect \(0 .*(mine|params).*\) to ws:\/\/fake\/$/)
  })

  it('says how many calls have not ended', async () => {
    const { connection, socket } = await connecting()
    connection.call('a', 1)
    expect(connection.pending).toBe(2)
    socket.welcome()
    socket.say([7, 1, 'done'])
    expect(connection.pending).toBe(1)
    socket.lose()
    expect(connection.pending).toBe(1)
    connection.close()
    expect(connection.pending).toBe(0)
  })
})

describe('calls', () => {
  it('wait for the welcome, and then go in their order', async () => {
    const { connection, socket, call } = await connecting()
    call('a')
    connection.call('large', 'x'.repeat(10_000))
    connection.call('bytes', new Uint8Array(1))
    socket.open()
    call('b')
    await pass()
    expect(socket.heard.map(([op]) => op)).toEqual([0])
    socket.welcome()
    await pass()
    expect(socket.calls).toEqual(['early', 'a', 'large', 'bytes', 'b'].map((path, n) => [path, 1 + 2 * n]))
  })

  it('are as many at once as the welcome says, and the next goes when one has ended', async () => {
    const { socket, call } = await open({}, { calls: 2 })
    const outcomes = call('a', 'b', 'c', 'd')
    await pass()
    expect(socket.paths).toEqual(['a', 'b'])
    socket.say([7, 5, 'b done'])
    await pass()
    expect(socket.paths).toEqual(['a', 'b', 'c'])
    socket.say([8, 3, { code: 'NOT_FOUND', executed: 'yes' }], [7, 7, 'c done'])
    await pass()
    socket.say([7, 9, 'd done'])
    expect(await Promise.all(outcomes)).toEqual(['NOT_FOUND yes', 'b done', 'c done', 'd done'])
  })

  it('that turn out to be subscriptions leave their place to others', async () => {
    const { connection, socket, call } = await open({}, { calls: 1 })
    const subscription = connection.call('events', 1)
    call('a')
    await pass()
    expect(socket.paths).toEqual(['events'])
    subscription[Symbol.asyncIterator]()
    await pass()
    expect(socket.paths).toEqual(['events', 'a'])
  })

  it('that are aborted while they wait are never sent', async () => {
    const { connection, socket } = await connecting()
    const controller = new AbortController()
    const aborted = outcome(connection.call('aborted', 1, { signal: controller.signal }))
    connection.call('after', 1)
    controller.abort()
    expect(await aborted).toBe('CANCELLED no')
    socket.welcome()
    await pass()
    expect(socket.paths).toEqual(['early', 'after'])
  })

  it('send what their bytes were when they were made, where they had to wait', async () => {
    const { connection, socket } = await connecting()
    const bytes = new Uint8Array([1, 2, 3])
    connection.call('late', bytes)
    bytes.fill(9)
    socket.welcome()
    await pass()
    expect([...(socket.frames.at(-1) as Uint8Array).slice(-3)]).toEqual([1, 2, 3])
  })

  it('made by who hears of the end go to the next socket', async () => {
    const { connection, sockets, socket, welcome } = await open()
    connection.on('state', (state) => {
      if (state === 'waiting') connection.call('again', 1)
    })
    socket.lose()
    await pass(100)
    await welcome()
    expect(sockets[1]!.paths).toEqual(['again'])
  })

  it('that may wait take so many bytes; one more is refused, until another has ended', async () => {
    const { connection, socket } = await connecting({ buffer: 3_000 })
    const held = [connection.call('a', 'x'.repeat(1_000)), connection.call('b', new Uint8Array(1_000))]
    expect(await outcome(connection.call('c', 'x'.repeat(1_000)))).toBe('RESOURCE_EXHAUSTED no')
    expect(await outcome(connection.call('d', new Uint8Array(1_000)))).toBe('RESOURCE_EXHAUSTED no')
    expect(connection.pending).toBe(3)
    socket.welcome()
    await pass()
    // Those that were sent may have to be sent again.
    expect(await outcome(connection.call('e', 'x'.repeat(1_000)))).toBe('RESOURCE_EXHAUSTED no')
    socket.say([7, 3, 'a done'])
    expect(await held[0]).toBe('a done')
    const late = outcome(connection.call('f', 'x'.repeat(1_000)))
    await pass()
    expect(socket.paths).toEqual(['early', 'a', 'b', 'f'])
    connection.close()
    expect(await late).toBe('CANCELLED unknown')
  })
})

describe('what is no welcome', () => {
  it.each([[[7, 1, 'x']], [[11]], [[0, 1, '', {}]], [[12]]])('closes for good, with 4000: %o', async (message) => {
    const { socket, early, states, connection } = await connecting()
    socket.open()
    socket.say(message)
    expect(await early).toBe('UNAVAILABLE no')
    expect(socket.closed.mock.calls).toEqual([[4000, 'not pairwire.1']])
    expect(states).toEqual(['connecting', ['closed', 4000, 'not pairwire.1']])
    await expect(connection.call('after', 1)).rejects.toThrow(/4000 not pairwire\.1/)
  })
})

describe('a lost socket', () => {
  it('ends no call: each is sent again after the next welcome, in order, under its id; what was not sent follows', async () => {
    const { sockets, socket, call, welcome } = await open({}, { calls: 3 })
    const outcomes = call('a', 'b', 'c', 'd')
    await pass()
    socket.say([7, 5, 'b done'])
    await pass()
    expect(socket.calls).toEqual([
      ['a', 3],
      ['b', 5],
      ['c', 7],
      ['d', 9],
    ])
    outcomes.push(...call('e'))
    socket.lose()
    outcomes.push(...call('f'))
    await pass(100)
    sockets[1]!.open()
    await pass()
    expect(sockets[1]!.paths).toEqual([])
    await welcome()
    const second = { attempt: 2 }
    expect(sockets[1]!.calls.map(([path, id, { attempt } = {} as any]) => [path, id, { attempt }])).toEqual([
      ['a', 3, second],
      ['c', 7, second],
      ['d', 9, second],
      ['e', 11, {}],
      ['f', 13, {}],
    ])
    sockets[1]!.say(...[3, 7, 9, 11, 13].map((id) => [7, id, id]))
    expect(await Promise.all(outcomes)).toEqual([3, 'b done', 7, 9, 11, 13])
  })

  it('and another, and another: calls say how often they were sent', async () => {
    const { sockets, call, socket, welcome } = await open()
    const [sent] = call('a')
    await pass()
    socket.lose()
    for (const attempt of [2, 3, 4]) {
      await pass(1_000)
      const next = await welcome()
      expect(next.calls).toEqual([['a', 3, expect.objectContaining({ attempt })]])
      if (attempt === 4) next.say([7, 3, 'at last'])
      else next.lose()
    }
    expect([await sent, sockets.length]).toEqual(['at last', 4])
  })

  it('before its welcome counts for no call: each is new on the next', async () => {
    const { sockets, socket, welcome } = await connecting()
    socket.open()
    await pass()
    socket.lose()
    await pass(100)
    await welcome()
    expect(sockets[1]!.calls).toEqual([['early', 1]])
  })

  it('before its welcome is no gap in a subscription either', async () => {
    const { connection, sockets, socket, welcome } = await open()
    socket.lose()
    const heard: unknown[] = []
    const onError = ({ code }: RpcError) => heard.push(code)
    connection.call('events', 1).subscribe({ onData: (event) => heard.push(event), onError })
    await pass(100)
    sockets[1]!.open()
    sockets[1]!.lose()
    await pass(10_000)
    await welcome()
    expect(sockets[2]!.calls).toEqual([['events', 3]])
    sockets[2]!.say([9, 3, 'first'])
    await pass()
    expect(heard).toEqual(['first'])
  })

  it('takes the rest of a stream with it: its call is sent again without', async () => {
    const { connection, sockets, socket, welcome } = await open()
    const items = (async function* () {
      yield 'item'
      await new Promise(() => {})
    })()
    const call = outcome(connection.call('upload', 1, { stream: items }))
    await pass()
    expect(socket.heard.map(([op]) => op)).toEqual([2, 4])
    socket.lose()
    await pass(100)
    await welcome()
    await pass(100)
    expect(sockets[1]!.heard.filter(([op]) => op === 2 || op === 4)).toEqual([
      [2, 3, 'upload', 1, expect.objectContaining({ attempt: 2 })],
    ])
    sockets[1]!.say([8, 3, { code: 'UNAVAILABLE', executed: 'no' }])
    expect(await call).toBe('UNAVAILABLE no')
  })

  it('is gone: what comes of it late changes nothing', async () => {
    const { connection, sockets, socket, states, call, welcome } = await open()
    const [sent] = call('a')
    await pass()
    connection.reconnect()
    await pass()
    states.length = 0
    socket.say([7, 3, 'late'])
    socket.emit('error', { message: 'late' })
    socket.lose(4003, 'late')
    socket.emit('message', { data: 'garbage' })
    await pass(200)
    expect([connection.state, states]).toEqual(['connecting', []])
    await welcome()
    sockets[1]!.say([7, 3, 'in time'])
    expect(await sent).toBe('in time')
  })

  it('leaves calls their deadlines, and those tell why there was no connection', async () => {
    const { connection, socket } = await open({ reconnect: { minDelay: 10_000 } })
    const sent = connection.call('sent', 1, { timeout: 1_000 }).catch((error) => error)
    await pass()
    socket.lose(4100, 'why')
    const queued: Promise<any> = connection.call('queued', 1, { timeout: 1_000 }).catch((error) => error)
    await pass(1_000)
    expect(await sent).toMatchObject({ code: 'DEADLINE_EXCEEDED', executed: 'unknown' })
    expect(await queued).toMatchObject({ code: 'DEADLINE_EXCEEDED', executed: 'no' })
    expect((await queued).message).toBe('"queued" expired: lost connection (4100 why) to ws://fake/')
  })

  it('of which nothing is said by the platform but an error is lost all the same', async () => {
    const { connection, socket } = await open()
    socket.emit('error', { message: 'broken' })
    await pass(100)
    expect(connection.state).toBe('waiting')
  })
})

describe('a close code', () => {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
  const stop = [1000, 1002, 1003, 1007, 1008, 1015, ...range(4000, 4008), 4050, 4099]
  const backOff = [1001, 1004, 1005, 1006, 1009, 1010, 1011, 1012, 1013, 1014, 1016, 2999, 3000, 3001, 3999]
  backOff.push(...range(4100, 4105), 4150, 4199, 4400, 4401, 4450, 4999)
  const now = [4200, 4201, 4202, 4250, 4299]
  const refresh = [4300, 4301, 4302, 4350, 4399]

  it.each(stop)('%i closes for good, and ends what is pending', async (code) => {
    const { connection, socket, call, states, sockets } = await open({}, { calls: 1 })
    const outcomes = call('sent', 'queued')
    await pass()
    socket.lose(code, 'why')
    expect(states).toEqual([['closed', code, 'why']])
    expect(await Promise.all([...outcomes, ...call('after')])).toEqual([
      'UNAVAILABLE unknown',
      'UNAVAILABLE no',
      'UNAVAILABLE no',
    ])
    await expect(connection.call('after', 1)).rejects.toThrow(`${code} why`)
    await pass(60_000)
    expect([sockets.length, vi.getTimerCount()]).toEqual([1, 0])
  })

  it.each(stop.slice(0, 7))('%i before the welcome closes as well', async (code) => {
    const { socket, early, states } = await connecting()
    socket.lose(code, 'why')
    expect(await early).toBe('UNAVAILABLE no')
    expect(states.at(-1)).toEqual(['closed', code, 'why'])
  })

  it.each(backOff)('%i backs off', async (code) => {
    const { connection, socket, sockets } = await open()
    const told = vi.fn()
    connection.on('state', told)
    socket.lose(code, 'why')
    expect(told.mock.calls).toEqual([['waiting', { code, reason: 'why', delay: 100 }]])
    await pass(100)
    sockets[1]!.lose(code)
    expect(told.mock.lastCall).toEqual(['waiting', { code, reason: '', delay: 200 }])
  })

  it.each(now)('%i comes back at once, spread over the shortest delay, however often', async (code) => {
    const { connection, socket, sockets } = await open({ reconnect: { minDelay: 100, attempts: 1 } })
    const told = vi.fn()
    connection.on('state', told)
    socket.lose(code)
    for (let n = 1; n < 5; n++) {
      expect(told.mock.lastCall).toEqual(['waiting', { code, reason: '', delay: 50 }])
      await pass(50)
      sockets[n]!.lose(code)
    }
  })

  it.each(refresh)('%i comes back once with fresh params; the second time in a row closes', async (code) => {
    const params = vi.fn(() => params.mock.calls.length)
    const { connection, socket, sockets, welcome } = await open({ params })
    const told = vi.fn()
    connection.on('state', told)
    socket.lose(code)
    expect(told.mock.lastCall).toEqual(['waiting', { code, reason: '', delay: 50 }])
    await pass(50)
    // A welcome alone begins no new row.
    await welcome()
    expect(sockets[1]!.hello.params).toBe(2)
    await pass(4_000)
    sockets[1]!.lose(code, 'no')
    expect(told.mock.lastCall).toEqual(['closed', { code, reason: 'no' }])
    expect(sockets).toHaveLength(2)
    connection.reconnect()
    await welcome()
    // A socket that has proved itself does.
    await pass(5_001)
    sockets[2]!.lose(code)
    expect(told.mock.lastCall).toEqual(['waiting', { code, reason: '', delay: 50 }])
    await pass(50)
    sockets[3]!.open()
    expect(sockets[3]!.hello.params).toBe(4)
  })

  it('1009 ends the largest call of its socket, and sends the others again', async () => {
    const { connection, sockets, socket, call, welcome } = await open()
    const small = call('small')[0]!
    const large = outcome(connection.call('large', 'x'.repeat(1_000)))
    const bytes = outcome(connection.call('bytes', new Uint8Array(5_000)))
    await pass()
    socket.lose(1009)
    const later = outcome(connection.call('later', 'x'.repeat(9_000)))
    expect(await bytes).toMatch(/^INVALID_ARGUMENT/)
    await pass(100)
    await welcome()
    expect(sockets[1]!.paths).toEqual(['small', 'large', 'later'])
    sockets[1]!.say([7, 3, 'a'], [7, 5, 'b'], [7, 9, 'c'])
    expect(await Promise.all([small, large, later])).toEqual(['a', 'b', 'c'])
  })

  it('1009 without any call backs off', async () => {
    const { connection, socket } = await open()
    socket.lose(1009)
    expect(connection.state).toBe('waiting')
  })
})

describe('backing off', () => {
  /** The delays of failures in a row. */
  const delays = async (random: number, count: number, reconnect: object) => {
    vi.mocked(Math.random).mockReturnValue(random)
    const { connection, sockets } = await connecting({ reconnect })
    const heard: (number | undefined)[] = []
    connection.on('state', (state, { delay }) => {
      if (state === 'waiting') heard.push(delay)
    })
    for (let n = 0; n < count; n++) {
      sockets[n]!.lose()
      const delay = heard[n]!
      if (delay > 1) {
        await pass(delay - 1)
        expect(sockets).toHaveLength(n + 1)
      }
      await pass(Math.min(delay, 1))
      expect(sockets).toHaveLength(n + 2)
    }
    connection.close()
    return heard
  }

  it('waits for a random part of a time that doubles, up to a bound', async () => {
    const reconnect = { minDelay: 100, maxDelay: 1_000 }
    expect(await delays(0.5, 6, reconnect)).toEqual([100, 200, 400, 500, 500, 500])
    expect(await delays(0, 4, reconnect)).toEqual([0, 0, 0, 0])
    expect(await delays(0.75, 4, reconnect)).toEqual([150, 300, 600, 750])
  })

  it('begins at a second and ends at half a minute, where nothing else is said', async () => {
    expect(await delays(0.5, 7, {})).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
  })

  it('is spread as the random numbers are', async () => {
    vi.mocked(Math.random).mockRestore()
    const waits: number[] = []
    for (let n = 0; n < 200; n++) {
      const { connection, socket } = await open({ reconnect: { minDelay: 500 } })
      connection.on('state', (_state, { delay }) => delay !== undefined && waits.push(delay))
      socket.lose()
      connection.close()
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...waits)).toBeLessThan(1_000)
    for (const quarter of [0, 1, 2, 3])
      expect(waits.filter((delay) => Math.floor(delay / 250) === quarter).length).toBeGreaterThan(20)
  })

  it('begins anew once a socket has lasted 5 seconds after its welcome, and not before', async () => {
    for (const [lasted, expected] of [
      [4_999, 400],
      [5_001, 100],
    ] as const) {
      const { connection, sockets, socket, welcome } = await connecting()
      let last: number | undefined
      connection.on('state', (_state, { delay }) => {
        last = delay ?? last
      })
      socket.lose()
      await pass(100)
      sockets[1]!.lose()
      await pass(200)
      // Before the welcome time proves nothing.
      await pass(9_000)
      await welcome()
      await pass(lasted)
      sockets[2]!.lose()
      expect(last).toBe(expected)
      connection.close()
    }
  })

  it('ends after so many attempts: closed, and with it what is pending', async () => {
    for (const attempts of [0, 1, 3]) {
      const { connection, sockets, early, states } = await connecting({ reconnect: { minDelay: 100, attempts } })
      for (let n = 0; n <= attempts; n++) {
        expect(sockets).toHaveLength(n + 1)
        sockets[n]!.lose(1006, 'no server')
        await pass(1_000)
      }
      expect(sockets).toHaveLength(attempts + 1)
      expect(states.at(-1)).toEqual(['closed', 1006, 'no server'])
      expect(await early).toBe('UNAVAILABLE no')
      expect(vi.getTimerCount()).toBe(0)
      // Counted anew when somebody asks for it.
      connection.reconnect()
      await pass()
      sockets.at(-1)!.lose()
      expect(connection.state).toBe(attempts ? 'waiting' : 'closed')
      connection.close()
    }
  })

  it('waits for what the server asked for, and the random part besides', async () => {
    const { connection, socket, sockets } = await connecting()
    const told = vi.fn()
    connection.on('state', told)
    socket.open()
    // Before a welcome there is nothing to move: it only tells when to come back.
    socket.say([13, { retryAfter: 3_000 }])
    await pass(1_000)
    expect([connection.state, sockets.length]).toEqual(['connecting', 1])
    socket.lose(4101, 'busy')
    expect(told.mock.lastCall).toEqual(['waiting', { code: 4101, reason: 'busy', delay: 3_100 }])
    await pass(3_099)
    expect(sockets).toHaveLength(1)
    await pass(1)
    expect(sockets).toHaveLength(2)
    sockets[1]!.lose()
    expect(told.mock.lastCall![1].delay).toBe(200)
  })
})

describe('time', () => {
  it.each(['to open', 'to say welcome'])(
    'a server has so much of it %s, and then another socket is tried',
    async (what) => {
      const { connection, sockets, socket, states, early, welcome } = await connecting({ connectTimeout: 300 })
      if (what === 'to say welcome') socket.open()
      await pass(299)
      expect(connection.state).toBe('connecting')
      await pass(1)
      expect(states.at(-1)).toEqual(['waiting', 4105, expect.any(String)])
      expect(socket.closed.mock.calls).toEqual([[4105, expect.any(String)]])
      await pass(100)
      await welcome()
      sockets[1]!.say([7, 1, 'done'])
      expect(await early).toBe('done')
      await pass(60_000)
      expect(connection.state).toBe('open')
    },
  )

  it('is 10 seconds where nothing else is said', async () => {
    const { connection } = await connecting()
    await pass(9_999)
    expect(connection.state).toBe('connecting')
    await pass(1)
    expect(connection.state).toBe('waiting')
  })

  it('runs while params and the socket are being made, and what comes of them late is closed', async () => {
    const late = new FakeSocket()
    const connect = vi.fn(() => new Promise<FakeSocket>((resolve) => setTimeout(resolve, 500, late)))
    const made = await connecting({ connectTimeout: 300, connect })
    await pass(300)
    expect(made.states.at(-1)).toEqual(['waiting', 4105, expect.any(String)])
    made.connection.close()
    await pass(500)
    late.open()
    expect([late.closed.mock.calls, late.heard]).toEqual([[[1000, '']], []])

    const never = await connecting({ connectTimeout: 300, params: () => new Promise(() => {}) })
    await pass(300)
    expect([never.connection.state, never.sockets.length]).toEqual(['waiting', 0])
    never.connection.close()
  })
})

describe('a heartbeat', () => {
  const beating = (options?: Options) => open({ pongTimeout: 500, ...options }, {}, { heartbeat: 1_000 })

  it('asks a silent server for a sign of life, in a frame of its own, and takes any frame for one', async () => {
    const { connection, socket } = await beating()
    socket.frames.length = 0
    await pass(999)
    expect(socket.frames).toEqual([])
    await pass(1)
    expect(socket.frames).toEqual(['[11]'])
    await pass(499)
    socket.say([12])
    await pass(999)
    expect([connection.state, socket.frames.length]).toEqual(['open', 1])
    // A frame, whatever is in it, puts it off.
    socket.say([7, 99, 'nothing'])
    await pass(999)
    expect(socket.frames).toHaveLength(1)
    await pass(1)
    expect(socket.frames).toHaveLength(2)
  })

  it('gives up a server that says nothing more, and its calls go to the next socket', async () => {
    const { connection, sockets, socket, states, call, welcome } = await beating()
    const [sent] = call('a')
    await pass(1_499)
    expect(connection.state).toBe('open')
    await pass(1)
    expect(states).toEqual([['waiting', 4104, expect.any(String)]])
    expect(socket.closed.mock.calls).toEqual([[4104, expect.any(String)]])
    await pass(100)
    await welcome()
    sockets[1]!.say([7, 3, 'done'])
    expect(await sent).toBe('done')
  })

  it('waits 10 seconds for that where nothing else is said', async () => {
    const { connection } = await open({}, {}, { heartbeat: 1_000 })
    await pass(10_999)
    expect(connection.state).toBe('open')
    await pass(1)
    expect(connection.state).toBe('waiting')
  })

  it('is not there where the server wants none', async () => {
    for (const fields of [{ heartbeat: 0 }, {}]) {
      const { connection, socket } = await open({}, {}, fields)
      socket.frames.length = 0
      // The one for deadlines stays set until a deadline of a call that has ended long ago.
      await pass(30_000)
      expect(vi.getTimerCount()).toBe(0)
      await pass(600_000)
      expect([connection.state, socket.frames]).toEqual(['open', []])
    }
  })

  it('ends with its socket', async () => {
    for (const end of ['close', 'lose']) {
      const { connection, socket } = await beating({ reconnect: { attempts: 0 } })
      await pass(1_000)
      if (end === 'close') connection.close()
      else socket.lose()
      expect(vi.getTimerCount()).toBe(0)
    }
  })

  it('answers the server that asks', async () => {
    const { socket } = await open()
    socket.say([11])
    await pass()
    expect(socket.heard).toEqual([[12]])
  })
})

describe('in a page', () => {
  it.each(WAKING)('%s tries at once, in place of the rest of the wait', async (event) => {
    const { fire } = page()
    const { connection, sockets } = await waiting()
    fire(event)
    await pass()
    expect([connection.state, sockets.length]).toEqual(['connecting', 2])
    await pass(1_000)
    expect(sockets).toHaveLength(2)
    connection.close()
  })

  it.each(WAKING)('%s asks the server of an open socket for a sign of life, and gives it up without', async (event) => {
    const { fire } = page()
    const { connection, socket } = await open({ pongTimeout: 500 })
    socket.frames.length = 0
    fire(event)
    expect(socket.frames).toEqual(['[11]'])
    await pass(400)
    socket.say([12])
    await pass(10_000)
    expect(connection.state).toBe('open')
    fire(event)
    await pass(500)
    expect(connection.state).toBe('waiting')
    connection.close()
  })

  it.each(WAKING)('%s changes nothing where no socket is wanted, or one is on its way', async (event) => {
    const { fire, listeners } = page()
    const { connection, sockets } = await connecting()
    fire(event)
    await pass()
    expect([connection.state, sockets.length]).toEqual(['connecting', 1])
    connection.close()
    expect(listeners.size).toBe(0)
    const lazy = make()
    fire(event)
    await pass()
    expect([lazy.connection.state, lazy.sockets.length]).toEqual(['idle', 0])
  })

  it('that is offline tries nothing, until it is online', async () => {
    const { navigator, fire } = page()
    const { connection, socket, sockets } = await open()
    const told = vi.fn()
    connection.on('state', told)
    navigator.onLine = false
    socket.lose()
    expect(told.mock.calls).toEqual([['waiting', { code: 1006, reason: '', delay: 100 }]])
    await pass(600_000)
    for (const event of ['pageshow', 'visibilitychange']) fire(event)
    await pass(600_000)
    expect([connection.state, sockets.length]).toEqual(['waiting', 1])
    navigator.onLine = true
    fire('online')
    await pass()
    expect([connection.state, sockets.length]).toEqual(['connecting', 2])
    connection.close()
  })

  it('that is offline opens no socket for a call either, and none when a wait is over', async () => {
    const { navigator, fire } = page(false)
    const { connection, sockets, call } = make()
    call('a')
    await pass(600_000)
    expect([connection.state, sockets.length]).toEqual(['waiting', 0])
    navigator.onLine = true
    fire('online')
    await pass()
    expect(sockets).toHaveLength(1)
    sockets[0]!.lose()
    navigator.onLine = false
    await pass(600_000)
    expect([connection.state, sockets.length]).toEqual(['waiting', 1])
    connection.close()
  })

  it('comes back no sooner than the server asked for, also at those', async () => {
    const { fire } = page()
    const { connection, socket, sockets } = await connecting()
    socket.open()
    socket.say([13, { retryAfter: 3_000 }])
    socket.lose(4101)
    fire('online')
    await pass(2_000)
    fire('visibilitychange')
    await pass(999)
    expect(sockets).toHaveLength(1)
    await pass(1)
    expect(sockets).toHaveLength(2)
    connection.close()
  })

  it('listens from the first socket on until it is closed, once, and again after reconnect()', async () => {
    const { listeners } = page()
    const add = vi.spyOn(globalThis, 'addEventListener' as never)
    const { connection, sockets, call } = make()
    expect(listeners.size).toBe(0)
    call('a')
    await pass()
    expect([...listeners].sort()).toEqual(WAKING)
    sockets[0]!.lose()
    await pass(100)
    expect(add).toHaveBeenCalledTimes(3)
    connection.close()
    expect(listeners.size).toBe(0)
    connection.reconnect()
    await pass()
    expect([...listeners].sort()).toEqual(WAKING)
    sockets.at(-1)!.lose(4003)
    expect(listeners.size).toBe(0)
  })

  it('listens to nothing where the platform knows no online and offline', async () => {
    const { listeners } = page()
    vi.stubGlobal('navigator', {})
    const { connection } = await connecting()
    expect(listeners.size).toBe(0)
    connection.close()
    vi.stubGlobal('navigator', undefined)
    expect((await connecting()).connection.state).toBe('connecting')
  })
})

describe('close()', () => {
  const states = { idle, connecting, open, waiting, closed }
  it.each(Object.keys(states) as (keyof typeof states)[])(
    'in the state %s closes for good, once, and opens no socket',
    async (from) => {
      const { connection, states: told, sockets, call } = await states[from]()
      told.length = 0
      const before = sockets.length
      const pending = from === 'idle' || from === 'closed' ? [] : call('pending')
      await pass()
      connection.close()
      connection.close()
      expect(told).toEqual(from === 'closed' ? [] : ['closed'])
      const executed = from === 'open' ? 'unknown' : 'no'
      expect(await Promise.all(pending)).toEqual(pending.map(() => `CANCELLED ${executed}`))
      expect(await Promise.all(call('after'))).toEqual(['UNAVAILABLE no'])
      await pass(60_000)
      expect([connection.state, sockets.length, vi.getTimerCount()]).toEqual(['closed', before, 0])
    },
  )

  it('ends what is under way, and closes the socket', async () => {
    const { connection, socket, call, states } = await open()
    const [sent] = call('sent')
    await pass()
    connection.close()
    expect(await sent).toBe('CANCELLED unknown')
    expect(socket.closed.mock.calls).toEqual([[1000, '']])
    socket.say([7, 3, 'late'])
    socket.lose(1000)
    expect([connection.state, states]).toEqual(['closed', ['closed']])
  })

  it('while backing off ends at once what was sent before: it may have run', async () => {
    const { connection, socket, call } = await open()
    const outcomes = call('sent')
    await pass()
    socket.lose()
    outcomes.push(...call('queued'))
    connection.close()
    expect(await Promise.all(outcomes)).toEqual(['CANCELLED unknown', 'CANCELLED no'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('while params or the socket are being made closes what comes of it', async () => {
    let give = (_: FakeSocket) => {}
    const connect = () =>
      new Promise<FakeSocket>((resolve) => {
        give = resolve
      })
    const { connection, call } = make({ connect })
    const [pending] = call('a')
    await pass()
    connection.close()
    expect(await pending).toBe('CANCELLED no')
    const socket = new FakeSocket()
    give(socket)
    await pass()
    socket.open()
    expect(socket.closed.mock.calls).toEqual([[1000, '']])
    expect([socket.heard, connection.state]).toEqual([[], 'closed'])

    const made = vi.fn(connect)
    const other = make({ params: () => new Promise((resolve) => setTimeout(resolve)), connect: made })
    other.call('a')
    other.connection.close()
    await pass(10)
    expect(made).not.toHaveBeenCalled()
  })

  it('is what disposing does', async () => {
    const { connection, socket } = await open()
    await connection[Symbol.asyncDispose]()
    expect(connection.state).toBe('closed')
    expect(socket.closed).toHaveBeenCalledTimes(1)
  })

  it('in the turn of the first call makes no socket: of a mount that is done twice, one is left', async () => {
    const connect = vi.fn(() => new FakeSocket())
    const mount = () => {
      const { connection, call } = make({ connect })
      return { connection, first: call('a')[0]! }
    }
    const one = mount()
    one.connection.close()
    const other = mount()
    expect(await one.first).toBe('CANCELLED no')
    await pass(60)
    expect(connect).toHaveBeenCalledTimes(1)
    expect([one.connection.state, other.connection.state]).toEqual(['closed', 'connecting'])
  })

  it('of who hears of the close leaves alone what reconnect() has begun', async () => {
    const { connection, sockets, welcome } = await open()
    let next: PromiseLike<unknown> | undefined
    const stop = connection.on('state', (state) => {
      if (state !== 'closed') return
      stop()
      connection.reconnect()
      next = outcome(connection.call('next', 1))
    })
    connection.close()
    await welcome()
    sockets.at(-1)!.say([7, 3, 'answered'])
    expect(await next).toBe('answered')
  })
})

describe('reconnect()', () => {
  const states = { idle, connecting, open, waiting, closed }
  it.each(Object.keys(states) as (keyof typeof states)[])('in the state %s opens a socket now', async (from) => {
    const { connection, sockets, states: told, welcome } = await states[from]()
    told.length = 0
    const before = sockets.length
    connection.reconnect()
    expect(told).toEqual(from === 'connecting' ? [] : ['connecting'])
    await welcome()
    await pass(60_000)
    expect([connection.state, sockets.length]).toEqual(['open', before + 1])
    for (const socket of sockets.slice(0, before))
      if (from !== 'waiting') expect(socket.closed).toHaveBeenCalledTimes(1)
  })

  it('sends what was under way again on the new socket', async () => {
    const { connection, socket, sockets, call, welcome } = await open()
    const [sent] = call('sent')
    await pass()
    connection.reconnect()
    // With a code that keeps the session.
    expect(socket.closed.mock.calls).toEqual([[4200, '']])
    await welcome()
    expect(sockets[1]!.calls).toEqual([['sent', 3, expect.objectContaining({ attempt: 2 })]])
    sockets[1]!.say([7, 3, 'answered'])
    expect(await sent).toBe('answered')
  })

  it('counts failures anew', async () => {
    const { connection, sockets, socket } = await connecting()
    let last: number | undefined
    connection.on('state', (_state, { delay }) => {
      last = delay ?? last
    })
    socket.lose()
    await pass(100)
    sockets[1]!.lose()
    expect(last).toBe(200)
    connection.reconnect()
    await pass()
    sockets[2]!.lose()
    expect(last).toBe(100)
  })

  it('may be called by a listener, at each wait, without end', async () => {
    const { connection, socket, sockets } = await open()
    connection.on('state', (state) => {
      if (state === 'waiting') connection.reconnect()
    })
    socket.lose()
    await pass()
    for (let n = 1; n < 5; n++) {
      expect([connection.state, sockets.length]).toEqual(['connecting', n + 1])
      sockets[n]!.lose()
      await pass()
    }
  })
})

describe('an idle connection', () => {
  it('closes its socket after a while without a call, and opens another for the next call', async () => {
    const { connection, sockets, socket, states, call, welcome } = await open({ idle: 200 })
    await pass(199)
    expect(connection.state).toBe('open')
    await pass(1)
    expect(states).toEqual([['idle', 1000, 'idle']])
    expect(socket.closed.mock.calls).toEqual([[1000, 'idle']])
    await pass(60_000)
    expect(sockets).toHaveLength(1)
    const [next] = call('next')
    await welcome()
    sockets[1]!.say([7, 3, 'done'])
    expect(await next).toBe('done')
  })

  it('is not idle while something is under way, and begins to be when it has ended', async () => {
    const { connection, socket, call } = await open({ idle: 200 })
    await pass(150)
    call('a')
    await pass(10_000)
    expect(connection.state).toBe('open')
    socket.say([7, 3, 'done'])
    await pass(199)
    expect(connection.state).toBe('open')
    await pass(1)
    expect(connection.state).toBe('idle')
  })

  it('that loses its socket with nothing under way waits for the next call', async () => {
    const { connection, socket, sockets } = await open({ idle: 200 })
    socket.lose()
    expect(connection.state).toBe('idle')
    await pass(60_000)
    expect(sockets).toHaveLength(1)
    const other = await open({ idle: 200 })
    other.call('a')
    other.socket.lose()
    expect(other.connection.state).toBe('waiting')
  })

  it('ends with close(), and leaves no timer', async () => {
    const { connection } = await open({ idle: 200 })
    connection.close()
    expect([connection.state, vi.getTimerCount()]).toEqual(['closed', 0])
    connection.reconnect()
    await pass(200)
    expect(connection.state).toBe('connecting')
  })

  it('that has moved since closes the socket it has', async () => {
    const { connection, socket, sockets, welcome } = await open({ idle: 200 })
    socket.say([13, {}])
    await pass(50)
    await welcome()
    await pass(200)
    expect([connection.state, sockets[1]!.closed.mock.calls]).toEqual(['idle', [[1000, 'idle']]])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('where that was not asked for keeps its socket', async () => {
    const { connection } = await open()
    await pass(3_600_000)
    expect(connection.state).toBe('open')
  })
})

describe('a connection that goes on', () => {
  const gaveUp = ({ heard }: FakeSocket) => heard.filter(([op]) => op === 13 || op === 2).map(([op]) => op)

  it('says first that it has given up its other sockets, where the server still knows it', async () => {
    const { sockets, socket, call, welcome } = await open({}, {}, { epoch: 'a' })
    call('a')
    await pass()
    expect(gaveUp(socket)).toEqual([2])
    socket.lose()
    await pass(1_000)
    await welcome({}, { epoch: 'a' })
    expect(gaveUp(sockets[1]!)).toEqual([13, 2])
    sockets[1]!.lose()
    await pass(1_000)
    await welcome({}, { epoch: 'b' })
    expect(gaveUp(sockets[2]!)).toEqual([2])
  })

  it('does not say so beside a socket that it still uses, but when that is lost, before it sends again', async () => {
    const { sockets, socket, call, welcome } = await open({}, {}, { epoch: 'a' })
    call('a')
    await pass()
    socket.say([13, {}])
    await pass(50)
    await welcome({}, { epoch: 'a' })
    call('b')
    await pass()
    expect(gaveUp(sockets[1]!)).toEqual([2])
    socket.lose()
    await pass()
    expect(gaveUp(sockets[1]!)).toEqual([2, 13, 2])
  })
})

describe('a server that will leave', () => {
  /** With a call that runs, and subscriptions with a place in their events, and without one. */
  const busy = async (options?: Options) => {
    const made = await open(options)
    const { connection, socket, call } = made
    const [slow] = call('slow')
    const events: unknown[] = []
    const gaps: unknown[] = []
    connection.call('tracked', 1).subscribe({ onData: (event) => events.push(event), onGap: (gap) => gaps.push(gap) })
    connection.call('plain', 1).subscribe({ onData: (event) => events.push(event), onGap: (gap) => gaps.push(gap) })
    await pass()
    socket.say([9, 5, 'a', 'e.1'], [9, 7, 'x'])
    await pass()
    socket.heard = []
    return { ...made, slow: slow!, events, gaps }
  }

  it('is left for a second socket, when that is welcome: new calls go there, the rest finishes', async () => {
    const { connection, socket, sockets, call, slow, events, gaps, states, welcome } = await busy()
    socket.say([13, { reason: 'restart' }])
    await pass(49)
    expect(sockets).toHaveLength(1)
    await pass(1)
    expect(sockets).toHaveLength(2)
    sockets[1]!.open()
    const [between] = call('between')
    await pass()
    expect([socket.paths, sockets[1]!.paths]).toEqual([['between'], []])
    socket.say([9, 5, 'b', 'e.2'])
    await welcome()
    // The subscription with a place moves behind what it has seen, and is cancelled where it was.
    expect(socket.heard.slice(1)).toEqual([[3, 5]])
    expect(sockets[1]!.calls).toEqual([['tracked', 5, expect.objectContaining({ lastEventId: 'e.2', attempt: 2 })]])
    socket.say([9, 5, 'twice', 'e.3'], [9, 7, 'y'])
    sockets[1]!.say([9, 5, 'c', 'e.3'])
    const [after] = call('after')
    await pass()
    expect(sockets[1]!.paths).toEqual(['tracked', 'after'])
    sockets[1]!.say([7, 11, 'new'])
    socket.say([7, 3, 'old'], [7, 9, 'old'])
    expect(await Promise.all([slow, between, after])).toEqual(['old', 'old', 'new'])
    expect(socket.closed).not.toHaveBeenCalled()
    // When nothing is left on it, it is closed.
    socket.say([10, 7])
    await pass()
    expect(socket.closed.mock.calls).toEqual([[4200, '']])
    socket.lose(4200)
    // Each stream in its order.
    expect(events.filter((event) => event !== 'x' && event !== 'y')).toEqual(['a', 'b', 'c'])
    expect([events.length, gaps, states, connection.state]).toEqual([5, [], [], 'open'])
  })

  it('with nothing on its socket is left at once', async () => {
    const { socket, sockets, states, welcome } = await open()
    socket.say([13, {}])
    await pass(50)
    expect(socket.closed).not.toHaveBeenCalled()
    await welcome()
    expect([socket.closed.mock.calls, sockets.length, states]).toEqual([[[4200, '']], 2, []])
  })

  it('says when to come', async () => {
    const { socket, sockets } = await open()
    socket.say([13, { retryAfter: 2_000 }])
    await pass(2_049)
    expect(sockets).toHaveLength(1)
    await pass(1)
    expect(sockets).toHaveLength(2)
  })

  it('and says so twice is left once', async () => {
    const { socket, sockets, welcome } = await busy()
    socket.say([13, {}])
    socket.say([13, {}])
    await pass(50)
    socket.say([13, {}])
    await pass(1_000)
    expect(sockets).toHaveLength(2)
    await welcome()
    socket.say([13, {}])
    await pass(10_000)
    expect(sockets).toHaveLength(2)
  })

  it('and is followed by one that leaves too: each socket finishes what it carries', async () => {
    const { connection, socket, sockets, call, slow, welcome } = await busy()
    socket.say([13, {}])
    await pass(50)
    await welcome()
    const [second] = call('second')
    await pass()
    sockets[1]!.say([13, {}])
    await pass(50)
    await welcome()
    const [third] = call('third')
    await pass()
    socket.say([7, 3, 1])
    sockets[1]!.say([7, 9, 2])
    sockets[2]!.say([7, 11, 3])
    expect(await Promise.all([slow, second, third])).toEqual([1, 2, 3])
    expect(sockets[1]!.closed).toHaveBeenCalledTimes(1)
    connection.close()
    for (const each of sockets) expect(each.closed).toHaveBeenCalledTimes(1)
  })

  it('is not left while no second socket can be had, which is tried again', async () => {
    const { socket, sockets, slow, states, call, welcome } = await busy()
    socket.say([13, {}])
    await pass(50)
    sockets[1]!.lose()
    await pass(100)
    sockets[2]!.lose(4100)
    const [between] = call('between')
    await pass(200)
    expect(sockets).toHaveLength(4)
    socket.say([7, 3, 'old'], [7, 9, 'old'])
    expect(await Promise.all([slow, between, ...states])).toEqual(['old', 'old'])
    await welcome()
    expect(sockets[3]!.paths).toEqual(['tracked'])
  })

  it('is not left for one that refuses, and what is on its socket goes on until it closes', async () => {
    const { connection, socket, sockets, slow } = await busy()
    socket.say([13, {}])
    await pass(50)
    sockets[1]!.lose(4003, 'not you')
    await pass(20_000)
    expect([connection.state, sockets.length]).toEqual(['open', 2])
    socket.say([7, 3, 'old'])
    expect(await slow).toBe('old')
    socket.lose(4200)
    expect(connection.state).toBe('waiting')
  })

  it('and is lost before the second socket is there: all goes to that one', async () => {
    for (const when of ['before the attempt', 'during the attempt']) {
      const { socket, sockets, slow, states, welcome } = await busy()
      socket.say([13, {}])
      if (when === 'during the attempt') await pass(50)
      socket.lose()
      await pass(50)
      expect(sockets).toHaveLength(2)
      await welcome()
      expect(states.flat().filter((state) => typeof state === 'string' && state)).toEqual(
        when === 'during the attempt' ? ['connecting', 'open'] : ['waiting', 'connecting', 'open'],
      )
      expect(sockets[1]!.calls).toEqual([
        ['slow', 3, expect.objectContaining({ attempt: 2 })],
        ['tracked', 5, expect.objectContaining({ lastEventId: 'e.1', attempt: 2 })],
        ['plain', 7, expect.objectContaining({ attempt: 2 })],
      ])
      sockets[1]!.say([7, 3, 'new'])
      expect(await slow).toBe('new')
    }
  })

  it('and is lost after the move: what was left on its socket goes to the new one, and the state stays', async () => {
    const { socket, sockets, slow, states, gaps, welcome } = await busy()
    socket.say([13, {}])
    await pass(50)
    await welcome()
    socket.lose(4200)
    await pass()
    expect(sockets[1]!.calls).toEqual([
      ['tracked', 5, expect.objectContaining({ lastEventId: 'e.1', attempt: 2 })],
      ['slow', 3, expect.objectContaining({ attempt: 2 })],
      ['plain', 7, expect.objectContaining({ attempt: 2 })],
    ])
    sockets[1]!.say([7, 3, 'new'])
    expect([await slow, states, gaps, sockets.length]).toEqual(['new', [], [{ reason: 'untracked' }], 2])
  })

  it('while the connection is closed is left by both sockets', async () => {
    const { connection, socket, sockets, slow, welcome } = await busy()
    socket.say([13, {}])
    await pass(50)
    await welcome()
    connection.close()
    expect(await slow).toBe('CANCELLED unknown')
    for (const each of sockets) expect(each.closed).toHaveBeenCalledTimes(1)
    // On the last socket this says that nobody will come back.
    expect(sockets[1]!.closed.mock.calls).toEqual([[1000, '']])
    expect(vi.getTimerCount()).toBe(0)
    const other = await busy()
    other.socket.say([13, {}])
    other.connection.close()
    await pass(10_000)
    expect(other.sockets).toHaveLength(1)
  })
})

describe('a call over the rate', () => {
  const refusal = (retryAfter = 250) => ({ code: 'RESOURCE_EXHAUSTED', executed: 'no', retryAfter })

  it('is sent again when the server said, under a new id, as if for the first time', async () => {
    const { connection, socket, call } = await open()
    const outcomes = call('a', 'b')
    await pass()
    socket.heard = []
    socket.say([8, 3, refusal()], [7, 5, 'b done'])
    await pass(249)
    expect([socket.calls, connection.pending]).toEqual([[], 1])
    await pass(1)
    expect(socket.calls).toEqual([['a', 7]])
    socket.say([7, 7, 'a done'])
    expect(await Promise.all(outcomes)).toEqual(['a done', 'b done'])
  })

  it('ends with that where its deadline would be over, or the server tells no time', async () => {
    const { connection, socket, call } = await open()
    const short = outcome(connection.call('a', 1, { timeout: 250 }))
    const [untold] = call('b')
    await pass()
    socket.say([8, 3, refusal()], [8, 5, { ...refusal(), retryAfter: undefined }])
    expect(await Promise.all([short, untold])).toEqual(Array(2).fill('RESOURCE_EXHAUSTED no'))
    await pass(1_000)
    expect(socket.calls).toHaveLength(2)
  })

  it('leaves its place to others while it waits', async () => {
    const { socket, call } = await open({}, { calls: 1 })
    call('a', 'b')
    await pass()
    socket.say([8, 3, refusal()])
    await pass()
    // Nothing ended, but the next call needs no turn of the first one to go.
    await pass(250)
    expect(socket.paths[0]).toBe('a')
    expect(socket.paths).toContain('b')
  })

  it('goes to the next socket where this one is lost meanwhile', async () => {
    const { socket, sockets, call, welcome } = await open()
    const [sent] = call('a')
    await pass()
    socket.say([8, 3, refusal(1_000)])
    socket.lose()
    await pass(100)
    await welcome()
    expect(sockets[1]!.calls).toEqual([])
    await pass(900)
    expect(sockets[1]!.calls).toEqual([['a', 5]])
    sockets[1]!.say([7, 5, 'done'])
    expect(await sent).toBe('done')
  })

  it('ends with close(), and leaves no timer that does anything', async () => {
    const { connection, socket, call } = await open()
    const [sent] = call('a')
    await pass()
    socket.say([8, 3, refusal()])
    connection.close()
    expect(await sent).toMatch(/^CANCELLED/)
    await pass(1_000)
    expect(connection.state).toBe('closed')
  })
})

describe('refresh()', () => {
  it('sends params anew, and resolves or rejects as the server says', async () => {
    const params = vi.fn(() => ({ n: params.mock.calls.length }))
    const { connection, socket, sockets } = await open({ params })
    const refreshed = outcome(connection.refresh())
    await pass()
    expect(socket.heard).toEqual([[2, 3, '$refresh', { n: 2 }]])
    socket.say([7, 3])
    expect(await refreshed).toBeUndefined()
    const refused = outcome(connection.refresh())
    await pass()
    socket.say([8, 5, { code: 'PERMISSION_DENIED', executed: 'yes' }])
    expect([await refused, connection.state, sockets.length]).toEqual(['PERMISSION_DENIED yes', 'open', 1])
  })

  it('rejects with what params rejects with, and sends nothing', async () => {
    let fails = false
    const params = async () => {
      if (fails) throw new Error('mine')
    }
    const { connection, socket } = await open({ params })
    fails = true
    await expect(connection.refresh()).rejects.toThrow('mine')
    expect([socket.heard, connection.state]).toEqual([[], 'open'])
  })
})
