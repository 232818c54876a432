import type { RpcError } from '@pairwire/contract'
import {
  createDeadlines,
  createOutbox,
  createRichCodec,
  PEER_LIMITS,
  richTypes,
  type Socket,
  upload,
} from '@pairwire/wire'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type ConnectionOptions, createConnection, type StateDetail } from './connection.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  readyState = 0
  readonly heard: unknown[][] = []
  readonly closed = vi.fn()
  readonly #listeners = new Map<string, (event: unknown) => void>()

  addEventListener(type: string, listener: (event: any) => void) {
    this.#listeners.set(type, listener)
  }
  send(data: string | Uint8Array) {
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
  welcome(limits = {}) {
    this.say([1, { limits: { window: 262_144, message: 1_048_576, calls: 256, ...limits } }])
  }
  lose(code = 1006, reason = '') {
    this.emit('close', { code, reason })
  }
  /** The paths of the calls that have come. */
  get paths() {
    return this.heard.filter(([op]) => op === 2).map(([, , path]) => path)
  }
}

const make = (options: Partial<ConnectionOptions> = {}) => {
  const sockets: FakeSocket[] = []
  const connection = createConnection({
    codec: createRichCodec(64, richTypes),
    outbox: createOutbox,
    deadlines: createDeadlines,
    upload,
    url: 'ws://fake/',
    limits: PEER_LIMITS,
    timeout: 30_000,
    params: () => undefined,
    connect() {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    ...options,
  })
  const states: unknown[] = []
  connection.on('state', (state, { code, reason }) => states.push(code === undefined ? state : [state, code, reason]))
  /** The outcomes of calls of these paths, one string for each. */
  const call = (...paths: string[]) =>
    paths.map((path) =>
      connection.call(path, 1).then(
        (value) => value,
        ({ code, executed }: RpcError) => `${code} ${executed}`,
      ),
    )
  return { connection, sockets, states, call }
}
/** A connection with its first socket, up to some point. */
const connecting = async (options?: Partial<ConnectionOptions>) => {
  const made = make(options)
  const early = made.call('early')[0]!
  await nextTask()
  return { ...made, early, socket: made.sockets[0]! }
}
const open = async (limits?: object) => {
  const made = await connecting()
  made.socket.open()
  made.socket.welcome(limits)
  made.socket.say([7, 1, 'done'])
  await made.early
  made.socket.heard.length = 0
  return made
}

describe('a connection', () => {
  it('opens no socket until it is needed, and then one', async () => {
    const { connection, sockets, call } = make()
    await nextTask()
    expect([connection.state, sockets.length]).toEqual(['idle', 0])
    call('a', 'b')
    await nextTask()
    expect([connection.state, sockets.length]).toEqual(['connecting', 1])
  })

  it('goes from state to state, and tells each one', async () => {
    const { connection, states, socket } = await connecting()
    expect(states).toEqual(['connecting'])
    socket.open()
    expect(connection.state).toBe('connecting')
    socket.welcome()
    expect(connection.state).toBe('open')
    socket.lose(4100, 'why')
    expect(connection.state).toBe('idle')
    connection.close()
    expect(connection.state).toBe('closed')
    expect(states).toEqual(['connecting', 'open', ['idle', 4100, 'why'], 'closed'])
  })

  it('tells its state to those who listen, until they stop', async () => {
    const { connection, socket } = await connecting()
    const [one, other] = [vi.fn(), vi.fn((_state: string, _detail: StateDetail) => {})]
    const stop = connection.on('state', one)
    connection.on('state', other)
    socket.open()
    socket.welcome()
    stop()
    stop()
    socket.lose(1001, 'bye')
    expect(one.mock.calls).toEqual([['open', {}]])
    expect(other.mock.calls).toEqual([
      ['open', {}],
      ['idle', { code: 1001, reason: 'bye' }],
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
    await nextTask()
    expect(heard).toHaveBeenCalledTimes(1)
    expect(print).toHaveBeenCalledTimes(2)
  })

  it('says hello first, with what it is and takes', async () => {
    const { socket } = await connecting({ params: async () => ({ token: 't' }) })
    expect(socket.heard).toEqual([])
    socket.open()
    const options = { codec: 'rich', timeout: 30_000, window: 262_144, params: { token: 't' } }
    expect(socket.heard[0]).toEqual([0, 1, '', options])
  })

  it('asks for its params anew for each socket', async () => {
    const params = vi.fn(() => params.mock.calls.length)
    const { call, sockets, socket } = await connecting({ params })
    socket.open()
    socket.lose()
    call('next')
    await nextTask()
    sockets[1]!.open()
    expect(sockets.map(({ heard }) => (heard[0]![3] as { params: number }).params)).toEqual([1, 2])
  })

  it('takes a socket that is open, and a promise of one', async () => {
    const socket = new FakeSocket()
    socket.readyState = 1
    const { call } = make({ connect: async () => socket })
    call('a')
    await nextTask()
    expect(socket.heard.map(([op]) => op)).toEqual([0, 2])
  })

  it.each<[string, Partial<ConnectionOptions>]>([
    ['params', { params: () => Promise.reject(new Error('mine')) }],
    ['connect', { connect: () => Promise.reject(new Error('mine')) }],
    ['params, that cannot be encoded,', { params: () => () => {} }],
  ])('is idle again when %s fails, and tries anew with the next call', async (_name, options) => {
    const { connection, states, call } = make(options)
    expect(await Promise.all(call('a', 'b'))).toEqual(Array(2).fill('UNAVAILABLE no'))
    expect(await Promise.all(call('c'))).toEqual(['UNAVAILABLE no'])
    expect(connection.state).toBe('idle')
    expect(states).toEqual(['connecting', 'idle', 'connecting', 'idle'])
  })
})

describe('calls', () => {
  it('that waited for the socket go in their order, along with hello', async () => {
    const { socket, call } = await connecting()
    call('a', 'b', 'c')
    expect(socket.heard).toEqual([])
    socket.open()
    expect(socket.heard.map(([op]) => op)).toEqual([0, 2, 2, 2, 2])
    expect(socket.paths).toEqual(['early', 'a', 'b', 'c'])
  })

  it('are 30 at most until the welcome, also when those are answered', async () => {
    const { socket, call } = await connecting()
    const paths = Array.from({ length: 50 }, (_, n) => `${n}`)
    call(...paths.slice(0, 20))
    socket.open()
    call(...paths.slice(20))
    await nextTask()
    expect(socket.paths).toEqual(['early', ...paths.slice(0, 29)])
    socket.welcome()
    await nextTask()
    expect(socket.paths).toEqual(['early', ...paths])
  })

  it('that are large, or have bytes or a stream, wait for the welcome; those after them keep their place', async () => {
    for (const [input, settings] of [
      ['x'.repeat(10_000), {}],
      [new Uint8Array(1), {}],
      [1, { stream: [1] }],
    ] as const) {
      const { connection, socket, call } = await connecting()
      call('before')
      connection.call('late', input, settings)
      call('after')
      socket.open()
      await nextTask()
      expect(socket.paths).toEqual(['early', 'before'])
      socket.welcome()
      await nextTask()
      expect(socket.paths).toEqual(['early', 'before', 'late', 'after'])
    }
  })

  it('are as many at once as the welcome says, and the next goes when one has ended', async () => {
    const { socket, call } = await open({ calls: 2 })
    const outcomes = call('a', 'b', 'c', 'd')
    await nextTask()
    expect(socket.paths).toEqual(['a', 'b'])
    socket.say([7, 5, 'b done'])
    await nextTask()
    expect(socket.paths).toEqual(['a', 'b', 'c'])
    socket.say([8, 3, { code: 'NOT_FOUND', executed: 'yes' }], [7, 7, 'c done'])
    await nextTask()
    socket.say([7, 9, 'd done'])
    expect(await Promise.all(outcomes)).toEqual(['NOT_FOUND yes', 'b done', 'c done', 'd done'])
  })

  it('are answered by what comes in one frame with the welcome', async () => {
    const { socket, early } = await connecting()
    socket.open()
    const limits = { window: 262_144, message: 1_048_576, calls: 256 }
    socket.say([1, { limits }], [7, 1, 'at once'])
    expect(await early).toBe('at once')
  })

  it('that turn out to be subscriptions leave their place to others', async () => {
    const { connection, socket, call } = await open({ calls: 1 })
    const subscription = connection.call('events', 1)
    call('a')
    await nextTask()
    expect(socket.paths).toEqual(['events'])
    subscription[Symbol.asyncIterator]()
    await nextTask()
    expect(socket.paths).toEqual(['events', 'a'])
  })

  it('that are aborted while they wait are never sent', async () => {
    const { connection, socket } = await connecting()
    const controller = new AbortController()
    const aborted = connection.call('aborted', 1, { signal: controller.signal })
    connection.call('after', 1)
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'CANCELLED', executed: 'no' })
    socket.open()
    expect(socket.paths).toEqual(['early', 'after'])
  })

  it('send what their bytes were when they were made, where they had to wait', async () => {
    const send = vi.spyOn(FakeSocket.prototype, 'send')
    const { connection, socket } = await connecting()
    const bytes = new Uint8Array([1, 2, 3])
    connection.call('late', bytes)
    bytes.fill(9)
    socket.open()
    socket.welcome()
    await nextTask()
    expect([...(send.mock.lastCall![0] as Uint8Array).slice(-3)]).toEqual([1, 2, 3])
  })

  it('end with their socket: unexecuted where they were not sent', async () => {
    const { socket, early, call } = await connecting()
    const [waiting] = call('waiting')
    socket.lose(1006, 'no server')
    expect(await Promise.all([early, waiting])).toEqual(['UNAVAILABLE no', 'UNAVAILABLE no'])

    const other = await open({ calls: 1 })
    const outcomes = other.call('sent', 'queued')
    await nextTask()
    other.socket.lose(4100, 'why')
    expect(await Promise.all(outcomes)).toEqual(['UNAVAILABLE unknown', 'UNAVAILABLE no'])
  })

  it('are told how it ended, and of which connection', async () => {
    const { connection, socket } = await open()
    const lost = connection.call('sent', 1)
    await nextTask()
    socket.lose(4100, 'why')
    await expect(lost).rejects.toThrow(/4100 why.*ws:\/\/fake\//)
    const closed = connection.call('next', 1)
    connection.close()
    await expect(closed).rejects.toThrow(/closed.*ws:\/\/fake\//)
  })

  it('made by who hears of the end open the next socket', async () => {
    const { connection, sockets, socket } = await open()
    connection.on('state', (state) => {
      if (state === 'idle') connection.call('again', 1)
    })
    socket.lose()
    await nextTask()
    expect([connection.state, sockets.length]).toEqual(['connecting', 2])
    sockets[1]!.open()
    expect(sockets[1]!.paths).toEqual(['again'])
  })
})

describe('what is no welcome', () => {
  it.each([[[7, 1, 'x']], [[11]], [[0, 1, '', {}]]])('closes the socket with 4000: %o', async (message) => {
    const { socket, early, states } = await connecting()
    socket.open()
    socket.say(message)
    expect(await early).toBe('UNAVAILABLE unknown')
    expect(socket.closed.mock.calls).toEqual([[4000, 'not pairwire.1']])
    expect(states).toEqual(['connecting', ['idle', 4000, 'not pairwire.1']])
  })
})

describe('close()', () => {
  it('in any state closes for good, once, and does not open a socket', async () => {
    const idle = make()
    const made = [idle, await connecting(), await open()]
    const lost = await open()
    lost.socket.lose()
    for (const { connection, states, sockets, call } of [...made, lost]) {
      const before = sockets.length
      const pending = connection.state === 'idle' ? [] : call('pending')
      const executed = connection.state === 'open' ? 'unknown' : 'no'
      connection.close()
      connection.close()
      expect(states.filter((state) => state === 'closed')).toHaveLength(1)
      expect(await Promise.all(pending)).toEqual(pending.map(() => `CANCELLED ${executed}`))
      expect(await Promise.all(call('after'))).toEqual(['UNAVAILABLE no'])
      expect([connection.state, states.at(-1), sockets.length]).toEqual(['closed', 'closed', before])
    }
  })

  it('ends what is under way, and closes the socket', async () => {
    const { connection, socket, call } = await open()
    const [sent] = call('sent')
    await nextTask()
    connection.close()
    expect(await sent).toBe('CANCELLED unknown')
    expect(socket.closed.mock.calls).toEqual([[1000, '']])
    socket.say([7, 3, 'late'])
    socket.lose(1000)
    expect(connection.state).toBe('closed')
  })

  it('while params or the socket are being made closes what comes of it', async () => {
    let give = (_: FakeSocket) => {}
    const connect = () =>
      new Promise<FakeSocket>((resolve) => {
        give = resolve
      })
    const { connection, call } = make({ connect })
    const [pending] = call('a')
    await nextTask()
    connection.close()
    expect(await pending).toBe('CANCELLED no')
    const socket = new FakeSocket()
    give(socket)
    await nextTask()
    socket.open()
    expect(socket.closed.mock.calls).toEqual([[1000, '']])
    expect([socket.heard, connection.state]).toEqual([[], 'closed'])

    const made = vi.fn(connect)
    const other = make({ params: nextTask, connect: made })
    other.call('a')
    other.connection.close()
    await nextTask()
    await nextTask()
    expect(made).not.toHaveBeenCalled()
  })

  it('is what disposing does', async () => {
    const { connection, socket } = await open()
    await connection[Symbol.asyncDispose]()
    expect(connection.state).toBe('closed')
    expect(socket.closed).toHaveBeenCalledTimes(1)
  })
})

describe('reconnect()', () => {
  it('opens another socket, and ends what was under way on the old one', async () => {
    const { connection, socket, sockets, states, call } = await open()
    const [sent] = call('sent')
    await nextTask()
    states.length = 0
    connection.reconnect()
    expect(await sent).toBe('UNAVAILABLE unknown')
    expect(socket.closed.mock.calls).toEqual([[1000, '']])
    await nextTask()
    sockets[1]!.open()
    sockets[1]!.welcome()
    expect(states).toEqual(['idle', 'connecting', 'open'])
    const [next] = call('next')
    await nextTask()
    sockets[1]!.say([7, 1, 'answered'])
    expect(await next).toBe('answered')
  })

  it('opens a socket after close(), and where there was none yet', async () => {
    for (const before of ['close', 'nothing']) {
      const { connection, sockets } = make()
      if (before === 'close') connection.close()
      connection.reconnect()
      await nextTask()
      sockets[0]!.open()
      sockets[0]!.welcome()
      expect(connection.state).toBe('open')
    }
  })

  it('may be called by a listener, at each idle, without end', async () => {
    const { connection, socket, sockets, states } = await open()
    connection.on('state', (state) => {
      if (state === 'idle') connection.reconnect()
    })
    states.length = 0
    socket.lose()
    await nextTask()
    expect([states.flat().filter((state) => typeof state === 'string' && state), sockets.length]).toEqual([
      ['idle', 'connecting'],
      2,
    ])
    connection.reconnect()
    await nextTask()
    expect(connection.state).toBe('connecting')
  })

  it('announces no idle where there was nothing to leave', async () => {
    const { connection, states } = make()
    connection.reconnect()
    expect(states).toEqual(['connecting'])
  })

  it('gives up the attempt that is under way', async () => {
    const { connection, socket, sockets, early } = await connecting()
    connection.reconnect()
    expect(await early).toBe('UNAVAILABLE no')
    await nextTask()
    expect([socket.closed.mock.calls.length, sockets.length]).toEqual([1, 2])
  })

  it('hears no more of the old socket', async () => {
    const { connection, socket, sockets, states } = await connecting()
    connection.reconnect()
    await nextTask()
    states.length = 0
    socket.open()
    socket.welcome()
    socket.emit('error', { message: 'late' })
    socket.lose(4100, 'late')
    socket.emit('message', { data: 'garbage' })
    expect([connection.state, states, socket.heard]).toEqual(['connecting', [], []])
    sockets[1]!.open()
    sockets[1]!.welcome()
    expect(connection.state).toBe('open')
  })
})
