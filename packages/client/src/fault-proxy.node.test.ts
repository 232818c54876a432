import { execFile } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { closeFrame } from '../test/faults/close-frame.ts'
import { type FrameScanner, scanDown, scanUp } from '../test/faults/frame-scanner.ts'
import { createFaultProxy, type Fault, type FaultProxyOptions } from '../test/faults/proxy.ts'
import { createRandom } from '../test/faults/random.ts'
import { randomFaults } from '../test/faults/random-faults.ts'

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))
afterEach(() => expect(stray).toEqual([]))

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const until = async (holds: () => boolean, what: () => unknown = () => 'it did not come true') => {
  for (const start = performance.now(); !holds(); await sleep(2))
    if (performance.now() - start > 2_000) throw new Error(JSON.stringify(what()))
}
/** Long enough for anything that should not have happened to have happened. */
const quiet = () => sleep(25)

/** One end of a WebSocket, with all it heard. */
const listen = (socket: WebSocket) => {
  const end = {
    socket,
    heard: [] as string[],
    bytes: 0,
    pings: 0,
    closed: undefined as number | undefined,
    reason: '',
    error: '',
  }
  socket.on('message', (data: RawData) => {
    end.heard.push(String(data).slice(0, 10))
    end.bytes += (data as Buffer).length
  })
  socket.on('ping', () => end.pings++)
  const onError = (error: NodeJS.ErrnoException) => {
    end.error = error.code ?? error.message
  }
  // A reset of an open connection is for the socket below to know.
  const watchTcp = () => (socket as unknown as { _socket: Socket })._socket.on('error', onError)
  if (socket.readyState === WebSocket.OPEN) watchTcp()
  else socket.once('open', watchTcp)
  socket.on('error', onError)
  socket.on('close', (code, reason) => {
    end.closed = code
    end.reason = String(reason)
  })
  return end
}
type End = ReturnType<typeof listen>

const startServer = async (echo = true) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const ends: End[] = []
  server.on('connection', (socket) => {
    ends.push(listen(socket))
    if (echo) socket.on('message', (data, binary) => socket.send(data, { binary }))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { ends, port: (server.address() as AddressInfo).port }
}

const setUp = async (faults: Fault[] = [], options: FaultProxyOptions & { echo?: boolean } = {}) => {
  const { ends, port } = await startServer(options.echo)
  const proxy = await createFaultProxy({ port }, { reset: false, ...options })
  onTestFinished(() => proxy.close())
  proxy.plan(({ index }) => (index === 0 ? faults : undefined))
  const open = async () => {
    const socket = new WebSocket(proxy.url)
    onTestFinished(() => socket.terminate())
    const end = listen(socket)
    await new Promise((resolve) => {
      socket.once('open', resolve)
      socket.once('close', resolve)
    })
    return end
  }
  return { proxy, ends, open, port }
}

/** A client has said these, one after another, over a connection with these faults. */
const say = async (words: string[], faults: Fault[], options: FaultProxyOptions & { echo?: boolean } = {}) => {
  const set = await setUp(faults, options)
  const client = await set.open()
  const server = set.ends[0]!
  for (const word of words) client.socket.send(word)
  return { ...set, client, server, connection: set.proxy.connections[0]! }
}

const abc = ['a', 'b', 'c', 'd']

describe('without faults', () => {
  it('passes everything and counts it', async () => {
    const { client, connection, server } = await say(abc, [])
    client.socket.ping()
    await until(() => client.heard.length === 4 && server.pings === 1 && connection.down.control === 1)
    expect(server.heard).toEqual(abc)
    expect(connection.up).toEqual({ frames: 4, control: 1, bytes: 4 * 7 + 6 })
    expect(connection.down).toEqual({ frames: 4, control: 1, bytes: 4 * 3 + 2 })
  })

  it('counts large and fragmented messages as one each', async () => {
    const { client, connection, server } = await say([], [])
    client.socket.send(Buffer.alloc(70_000))
    client.socket.send(Buffer.alloc(1_000_000))
    for (const fin of [false, false, true]) {
      client.socket.send('x', { fin })
      client.socket.ping()
    }
    await until(() => client.heard.length === 3 && connection.down.control === 3)
    expect(server.bytes).toBe(1_070_003)
    expect(connection.up).toEqual({ frames: 3, control: 3, bytes: 70_014 + 1_000_014 + 3 * 7 + 3 * 6 })
    expect(connection.down).toMatchObject({ frames: 3, control: 3 })
  })

  it('passes on a close, and forgets the connection', async () => {
    const { client, proxy, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    client.socket.close(4001, 'bye')
    await until(() => proxy.connections.length === 0 && Boolean(client.closed && server.closed))
    expect([server.closed, server.reason, client.closed]).toEqual([4001, 'bye', 4001])
  })

  it('passes on that an end was lost', async () => {
    for (const lose of ['client', 'server'] as const) {
      const set = await say(['a'], [])
      await until(() => set.client.heard.length === 1)
      set[lose].socket.terminate()
      await until(() => set.client.closed === 1006 && set.server.closed === 1006 && set.proxy.connections.length === 0)
    }
  })

  it('serves the WebSocket of Node', async () => {
    const { proxy } = await setUp([{ at: 'down', after: 2, action: 'close', code: 4002, reason: 'why' }])
    const socket = new globalThis.WebSocket(proxy.url)
    const heard: unknown[] = []
    socket.onopen = () => {
      for (const word of abc) socket.send(word)
    }
    socket.onmessage = ({ data }) => heard.push(data)
    await new Promise<void>((resolve) => {
      socket.onclose = ({ code, reason }) => {
        heard.push(code, reason)
        resolve()
      }
    })
    expect(heard).toEqual(['a', 'b', 4002, 'why'])
  })

  it('passes on plain HTTP, which has no frames', async () => {
    const { proxy } = await setUp()
    const answer = await fetch(proxy.url.replace('ws', 'http'))
    expect([answer.status, await answer.text()]).toEqual([426, 'Upgrade Required'])
  })

  it('does not buffer what the server does not read', async () => {
    const { client, connection, server } = await say([], [], { echo: false })
    server.socket.pause()
    const size = 64 * 2 ** 20
    for (let sent = 0; sent < size; sent += 2 ** 20) client.socket.send(Buffer.alloc(2 ** 20))
    let last = -1
    await until(() => {
      const moved = connection.up.bytes !== last
      last = connection.up.bytes
      return !moved && last > 0
    })
    await sleep(100)
    expect(connection.up.bytes).toBeLessThan(size / 2)
    expect(client.socket.bufferedAmount).toBeGreaterThan(size / 4)
    server.socket.resume()
    await until(() => server.bytes === size && server.heard.length === 64)
  })
})

describe('cut', () => {
  const cuts: Array<[Fault, up: string[], down: string[]]> = [
    [{ at: 'up', before: 3, action: 'cut' }, ['a', 'b'], []],
    [{ at: 'up', before: 1, action: 'cut' }, [], []],
    [{ at: 'up', after: 3, action: 'cut' }, ['a', 'b', 'c'], []],
    [{ at: 'up', byte: 0, action: 'cut' }, [], []],
    // A frame of the client has 7 bytes, one of the server 3.
    [{ at: 'up', byte: 20, action: 'cut' }, ['a', 'b'], []],
    [{ at: 'up', byte: 21, action: 'cut' }, ['a', 'b', 'c'], []],
    [{ at: 'down', before: 3, action: 'cut' }, abc, ['a', 'b']],
    [{ at: 'down', after: 3, action: 'cut' }, abc, ['a', 'b', 'c']],
    [{ at: 'down', after: 0, action: 'cut' }, [], []],
    [{ at: 'down', byte: 8, action: 'cut' }, abc, ['a', 'b']],
    [{ at: 'down', byte: 9, action: 'cut' }, abc, ['a', 'b', 'c']],
  ]
  for (const reset of [false, true]) {
    it.each(cuts)(`%j by ${reset ? 'RST' : 'FIN'}`, async (fault, up, down) => {
      const { ends, open, proxy } = await setUp([{ ...fault, reset } as Fault])
      const client = await open()
      if (client.socket.readyState === WebSocket.OPEN) for (const word of abc) client.socket.send(word)
      await until(() => client.closed !== undefined && ends.every(({ closed }) => closed !== undefined))
      if (fault.at === 'up' && fault.byte === 0) await until(() => ends.length === 1)
      expect(client.closed).toBe(1006)
      expect(client.heard.slice(0, down.length)).toEqual(down)
      if (fault.at === 'down') expect(client.heard).toEqual(down)
      // What a cut downward leaves of the way up is a matter of time.
      if (fault.at === 'up') expect(ends[0]!.heard).toEqual(up)
      expect(proxy.connections).toEqual([])
    })
  }

  it('leaves a reset to be seen as such', async () => {
    for (const [reset, codes] of [
      [true, ['ECONNRESET', 'ECONNRESET']],
      [false, ['', '']],
    ] as const) {
      const { client, server } = await say(abc, [{ at: 'up', after: 4, action: 'cut', reset }])
      await until(() => client.closed !== undefined && server.closed !== undefined)
      expect([client.error, server.error]).toEqual(codes)
    }
  })

  it('draws between RST and FIN by the seed', async () => {
    const draw = async (seed: number) => {
      const { port } = await startServer()
      const proxy = await createFaultProxy({ port }, { seed })
      proxy.plan(() => [{ at: 'up', byte: 0, action: 'cut' }])
      for (let index = 0; index < 12; index++) {
        const client = listen(new WebSocket(proxy.url))
        await until(() => client.closed !== undefined)
      }
      await proxy.close()
      return proxy.log.map(({ what }) => what).filter((what) => what.startsWith('cut'))
    }
    const one = await draw(1)
    expect(new Set(one)).toEqual(new Set(['cut by RST', 'cut by FIN']))
    expect(await draw(1)).toEqual(one)
    expect(await draw(2)).not.toEqual(one)
  })

  it('writes first what passed, however large', async () => {
    const { client, server } = await say([], [{ at: 'up', after: 1, action: 'cut' }])
    client.socket.send(Buffer.alloc(5_000_000))
    client.socket.send('late')
    await until(() => server.closed !== undefined)
    expect([server.bytes, server.heard.length]).toEqual([5_000_000, 1])
  })

  it('can hit the middle of a fragmented message', async () => {
    const { client, connection, server } = await say([], [{ at: 'up', byte: 14, action: 'cut' }])
    for (const fin of [false, false, true]) client.socket.send('x', { fin })
    await until(() => client.closed === 1006 && server.closed === 1006)
    expect(connection.up).toEqual({ bytes: 14, frames: 0, control: 0 })
  })

  it('by hand ends both ends', async () => {
    const { client, connection, proxy, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    connection.cut()
    expect(proxy.connections).toEqual([])
    await until(() => client.closed === 1006 && server.closed === 1006)
  })
})

describe('half', () => {
  it('upward lets the server go on talking', async () => {
    const { client, connection, proxy, server } = await say(abc, [{ at: 'up', after: 2, action: 'half' }])
    await until(() => client.heard.length === 2)
    server.socket.send('still')
    await until(() => client.heard.length === 3)
    await quiet()
    expect([server.heard, client.heard]).toEqual([
      ['a', 'b'],
      ['a', 'b', 'still'],
    ])
    expect(connection.up.frames).toBe(2)
    client.socket.terminate()
    await quiet()
    expect([server.closed, proxy.connections.length]).toEqual([undefined, 1])
    connection.cut()
    await until(() => server.closed === 1006)
  })

  it('downward lets the client go on talking', async () => {
    const { client, connection, server } = await say(abc, [{ at: 'down', before: 2, action: 'half' }])
    await until(() => server.heard.length === 4)
    await quiet()
    expect([client.heard, client.closed, connection.down.frames]).toEqual([['a'], undefined, 1])
    server.socket.terminate()
    await quiet()
    expect(client.closed).toBe(undefined)
  })

  it('in the middle of a frame leaves it unfinished', async () => {
    const { client, server } = await say(abc, [{ at: 'up', byte: 10, action: 'half' }])
    await until(() => client.heard.length === 1)
    await quiet()
    expect([server.heard, server.closed, client.closed]).toEqual([['a'], undefined, undefined])
  })
})

describe('hold', () => {
  it.each<[Fault, number]>([
    [{ at: 'up', before: 2, action: 'hold', ms: 100 }, 1],
    [{ at: 'up', after: 2, action: 'hold', ms: 100 }, 2],
    [{ at: 'up', byte: 20, action: 'hold', ms: 100 }, 2],
    [{ at: 'down', before: 2, action: 'hold', ms: 100 }, 1],
    [{ at: 'down', after: 2, action: 'hold', ms: 100 }, 2],
    [{ at: 'down', byte: 7, action: 'hold', ms: 100 }, 2],
  ])('%j delays the rest and keeps the order', async (fault, before) => {
    const start = performance.now()
    const { client, server } = await say(abc, [fault])
    const end = fault.at === 'up' ? server : client
    await until(() => end.heard.length > 0)
    await sleep(15)
    expect(end.heard).toEqual(abc.slice(0, before))
    await until(() => client.heard.length === 4)
    expect(performance.now() - start).toBeGreaterThanOrEqual(99)
    expect([server.heard, client.heard]).toEqual([abc, abc])
  })

  it('adds up, and other faults act behind it', async () => {
    const start = performance.now()
    const { client, server } = await say(abc, [
      { at: 'up', after: 1, action: 'hold', ms: 20 },
      { at: 'up', after: 1, action: 'hold', ms: 20 },
      { at: 'up', after: 3, action: 'cut' },
    ])
    await until(() => client.closed === 1006 && server.closed !== undefined)
    expect(performance.now() - start).toBeGreaterThanOrEqual(39)
    expect(server.heard).toEqual(['a', 'b', 'c'])
  })

  it('by hand lasts until released, and holds the end, too', async () => {
    const { client, connection, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    connection.hold()
    for (const word of ['b', 'c']) client.socket.send(word)
    client.socket.send(Buffer.alloc(20_000_000))
    await until(() => client.socket.bufferedAmount === 0)
    client.socket.terminate()
    await quiet()
    expect([server.heard, server.closed]).toEqual([['a'], undefined])
    connection.release()
    await until(() => server.closed === 1006)
    expect([server.heard.slice(0, 3), server.bytes]).toEqual([['a', 'b', 'c'], 20_000_003])
  })

  it('by hand may hold one direction', async () => {
    const { client, connection, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    connection.hold('down')
    client.socket.send('b')
    await until(() => server.heard.length === 2)
    await quiet()
    expect(client.heard).toEqual(['a'])
    connection.release('down')
    await until(() => client.heard.length === 2)
  })
})

describe('black-hole', () => {
  it.each<[Fault, up: number, down: number]>([
    [{ at: 'up', before: 3, action: 'black-hole' }, 2, 0],
    [{ at: 'up', after: 3, action: 'black-hole' }, 3, 0],
    [{ at: 'up', byte: 20, action: 'black-hole' }, 2, 0],
    [{ at: 'down', after: 2, action: 'black-hole' }, 4, 2],
  ])('%j swallows both ways and stays open', async (fault, up, down) => {
    const { client, connection, proxy, server } = await say(abc, [fault])
    await until(() => server.heard.length >= up && client.heard.length >= down)
    server.socket.send('more')
    client.socket.send('more')
    await quiet()
    expect(server.heard.length).toBe(up)
    if (fault.at === 'down') expect(client.heard.length).toBe(down)
    else expect(client.heard).not.toContain('more')
    expect([client.closed, server.closed]).toEqual([undefined, undefined])
    client.socket.terminate()
    await quiet()
    expect([server.closed, proxy.connections.length]).toEqual([undefined, 1])
    connection.cut()
    await until(() => server.closed === 1006)
  })

  it('goes once both ends have given up', async () => {
    const { client, connection, proxy, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    connection.blackHole()
    client.socket.terminate()
    server.socket.terminate()
    await until(() => proxy.connections.length === 0)
  })

  it('never fills up', async () => {
    const { client } = await say([], [{ at: 'up', byte: 100, action: 'black-hole' }])
    client.socket.send(Buffer.alloc(20_000_000))
    await until(() => client.socket.bufferedAmount === 0)
  })
})

describe('slow', () => {
  it.each(['up', 'down'] as const)('%s takes its time', async (at) => {
    const { client, connection } = await say([], [{ at, byte: 0, action: 'slow', bytesPerSecond: 100_000 }])
    const start = performance.now()
    client.socket.send(Buffer.alloc(10_000))
    await until(() => connection[at].bytes > 0 && connection[at].bytes < 10_000)
    await until(() => client.bytes === 10_000)
    expect(performance.now() - start).toBeGreaterThan(80)
  })
})

describe('close', () => {
  it.each<[Fault, up: string[] | undefined, down: string[] | undefined]>([
    [{ at: 'up', before: 3, action: 'close', code: 1012, reason: 'soon' }, ['a', 'b'], undefined],
    [{ at: 'up', after: 3, action: 'close', code: 1012, reason: 'soon' }, ['a', 'b', 'c'], undefined],
    // Inside of the third frame, which is allowed to finish.
    [{ at: 'up', byte: 16, action: 'close', code: 1012, reason: 'soon' }, ['a', 'b', 'c'], undefined],
    [{ at: 'down', after: 3, action: 'close', code: 1012, reason: 'soon' }, undefined, ['a', 'b', 'c']],
    [{ at: 'down', byte: 4, action: 'close', code: 1012, reason: 'soon' }, undefined, ['a', 'b']],
  ])('%j reaches both ends', async (fault, up, down) => {
    const { client, proxy, server } = await say(abc, [fault])
    await until(() => client.closed !== undefined && server.closed !== undefined)
    expect([client.closed, client.reason, client.error]).toEqual([1012, 'soon', ''])
    expect([server.closed, server.reason, server.error]).toEqual([1012, 'soon', ''])
    if (up) expect(server.heard).toEqual(up)
    if (down) expect(client.heard).toEqual(down)
    await until(() => proxy.connections.length === 0)
  })

  it('may come between fragments', async () => {
    const { client, server } = await say([], [{ at: 'up', byte: 7, action: 'close', code: 4000 }])
    for (const fin of [false, false, true]) client.socket.send('x', { fin })
    await until(() => client.closed === 4000 && server.closed === 4000)
    expect([server.heard, server.error]).toEqual([[], ''])
  })

  it('waits for the handshake to pass', async () => {
    const { ends, open } = await setUp([{ at: 'up', byte: 0, action: 'close', code: 4000 }])
    const client = await open()
    await until(() => client.closed === 4000 && ends[0]?.closed === 4000)
  })

  it('ends, too, what can not be told', async () => {
    const { client, connection, proxy, server } = await say(['a', 'b'], [{ at: 'up', after: 1, action: 'half' }])
    await until(() => client.heard.length === 1)
    connection.close(4000)
    await until(() => client.closed === 4000 && server.closed === 1006 && proxy.connections.length === 0)
  })

  it('by hand may go without a code, and past a hold', async () => {
    const { client, connection, server } = await say(['a'], [])
    await until(() => client.heard.length === 1)
    connection.hold()
    connection.close()
    await until(() => client.closed === 1005 && server.closed === 1005)
  })
})

describe('abandon', () => {
  it.each([true, false])('leaves the server with a silent socket (reset: %j)', async (reset) => {
    const { client, connection, open, proxy, server } = await say(abc, [
      { at: 'up', after: 2, action: 'abandon', reset },
    ])
    await until(() => client.closed === 1006)
    const next = await open()
    next.socket.send('next')
    server.socket.send('unheard')
    await until(() => next.heard.length === 1)
    await quiet()
    expect([server.heard, server.closed, server.socket.readyState]).toEqual([['a', 'b'], undefined, WebSocket.OPEN])
    expect([client.error, proxy.connections.length]).toEqual([reset ? 'ECONNRESET' : '', 2])
    connection.cut()
    await until(() => server.closed === 1006 && proxy.connections.length === 1)
    expect(next.closed).toBe(undefined)
  })

  it('ends when the server gives up', async () => {
    const { client, proxy, server } = await say(abc, [{ at: 'down', before: 1, action: 'abandon' }])
    await until(() => client.closed === 1006)
    expect(client.heard).toEqual([])
    server.socket.terminate()
    await until(() => proxy.connections.length === 0)
  })
})

describe('duplicate-connect', () => {
  it('says again what was said so far, and no more', async () => {
    const { client, connection, ends } = await say(abc, [{ at: 'up', after: 2, action: 'duplicate-connect' }])
    await until(() => client.heard.length === 4 && ends[1]?.heard.length === 2)
    await quiet()
    expect(ends.map(({ heard }) => heard)).toEqual([abc, ['a', 'b']])
    expect(client.heard).toEqual(abc)
    connection.cut()
    await until(() => ends.every(({ closed }) => closed === 1006))
  })

  it('can leave a frame unfinished', async () => {
    const { client, ends } = await say(abc, [{ at: 'up', byte: 10, action: 'duplicate-connect' }])
    await until(() => client.heard.length === 4 && ends[1]?.heard.length === 1)
    await quiet()
    expect(ends.map(({ heard, closed }) => [heard.length, closed])).toEqual([
      [4, undefined],
      [1, undefined],
    ])
  })

  it('can be had for every connection', async () => {
    const { ends, open, proxy } = await setUp([], { duplicateConnect: true })
    await open()
    await open()
    await until(() => ends.length === 4)
    expect(proxy.accepted).toBe(2)
    await proxy.close()
    await until(() => ends.every(({ closed }) => closed !== undefined))
  })
})

describe('the proxy', () => {
  it('plans by index', async () => {
    const { open, proxy } = await setUp()
    const asked: number[] = []
    proxy.plan(({ index }) => {
      asked.push(index)
      return index === 1 ? [{ at: 'up', before: 1, action: 'cut' }] : undefined
    })
    const clients = [await open(), await open(), await open()]
    for (const { socket } of clients) socket.send('a')
    await until(() => clients[0]!.heard.length + clients[2]!.heard.length === 2 && clients[1]!.closed === 1006)
    expect(asked).toEqual([0, 1, 2])
    expect(proxy.connections.map(({ index }) => index)).toEqual([0, 2])
  })

  it('refuses while told to', async () => {
    const { ends, open, proxy } = await setUp()
    const before = await open()
    proxy.refuse = true
    const during = await open()
    expect([during.closed, during.error]).toEqual([1006, 'ECONNRESET'])
    proxy.refuse = false
    const after = await open()
    after.socket.send('a')
    await until(() => after.heard.length === 1)
    expect([before.closed, proxy.accepted, proxy.refused, ends.length]).toEqual([undefined, 2, 1, 2])
  })

  it('can send newcomers to another server', async () => {
    const { ends, open, proxy } = await setUp()
    const first = await open()
    const other = await startServer()
    proxy.target(other.port)
    const second = await open()
    first.socket.send('old')
    second.socket.send('new')
    await until(() => first.heard.length === 1 && second.heard.length === 1)
    expect([ends.map(({ heard }) => heard), other.ends.map(({ heard }) => heard)]).toEqual([[['old']], [['new']]])
  })

  it('resets clients of a server that is not there', async () => {
    const { open, proxy } = await setUp()
    proxy.target(1)
    expect((await open()).error).toBe('ECONNRESET')
    expect(proxy.log.map(({ what }) => what)).toContain('server: connect ECONNREFUSED 127.0.0.1:1')
    await until(() => proxy.connections.length === 0)
  })

  it('logs what it did', async () => {
    const { client, proxy } = await say(['a'], [{ at: 'up', before: 1, action: 'cut' }])
    await until(() => client.closed === 1006)
    const did = proxy.log.filter(({ what }) => !what.endsWith('ended'))
    expect(did.map(({ connection, what }) => `${connection} ${what.replace(/\d+$/, 'N')}`)).toEqual([
      '0 accepted for port N',
      '0 fault {"at":"up","before":1,"action":"cut"}',
      '0 cut by FIN',
      '0 gone',
    ])
    expect(did.every(({ time }, at) => time >= (did[at - 1]?.time ?? 0))).toBe(true)
  })

  it('leaves nothing open when closed, so that a process may end', async () => {
    const script = `
      import { createServer, connect } from 'node:net'
      import { createFaultProxy } from ${JSON.stringify(new URL('../test/faults/proxy.ts', import.meta.url).href)}
      const server = createServer((socket) => socket.on('error', () => {}))
      server.on('connection', (socket) => socket.write('HTTP/1.1 101 x\\r\\n\\r\\n12345'))
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      const proxy = await createFaultProxy({ port: server.address().port }, { duplicateConnect: true })
      const actions = ['hold', 'black-hole', 'slow', 'abandon', 'half', 'cut', 'close']
      proxy.plan(({ index }) => [
        { at: index % 2 ? 'down' : 'up', byte: 0, action: actions[index >> 1], ms: 60_000, bytesPerSecond: 0.01 },
      ])
      const clients = actions.flatMap((action) => [action, action]).map(() => {
        const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
        client.on('error', () => {})
        client.write('GET / HTTP/1.1\\r\\nUpgrade: websocket\\r\\n\\r\\n12345')
        return client
      })
      const acted = ({ what }) => what.startsWith('fault') && !what.includes('duplicate')
      while (proxy.log.filter(acted).length < 14) await new Promise(setImmediate)
      server.close()
      const closed = performance.now()
      await proxy.close()
      await proxy.close()
      process.on('exit', () => console.log(proxy.accepted, performance.now() - closed))
    `
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 5_000,
    })
    expect(stderr).toBe('')
    const [accepted, took] = stdout.split(' ').map(Number)
    expect(accepted).toBe(14)
    expect(took).toBeLessThan(500)
  })

  it('survives whatever is random, and never invents a message', async () => {
    const { ends, port } = await startServer()
    const proxy = await createFaultProxy({ port }, { seed: 7 })
    onTestFinished(() => proxy.close())
    proxy.plan(({ index }) => randomFaults(createRandom(index)))
    const words = Array.from({ length: 24 }, (_, at) => String(at))
    const clients = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const client = listen(new WebSocket(proxy.url))
        client.socket.on('open', () => {
          for (const word of words) client.socket.send(word)
        })
        return client
      }),
    )
    await until(() => clients.filter(({ closed }) => closed !== undefined).length > 20)
    await until(() => clients.filter(({ heard }) => heard.length === 24).length > 3)
    await quiet()
    for (const { heard } of [...clients, ...ends]) expect(heard).toEqual(words.slice(0, heard.length))
    for (const { socket } of clients) socket.terminate()
  })
})

describe('random', () => {
  it('is the same for the same seed, and spread', () => {
    const draw = (seed: number) => {
      const random = createRandom(seed)
      return Array.from({ length: 1_000 }, () => random.int(10))
    }
    expect(draw(5)).toEqual(draw(5))
    expect(draw(5)).not.toEqual(draw(6))
    for (let digit = 0; digit < 10; digit++) {
      const share = draw(5).filter((drawn) => drawn === digit).length
      expect(share).toBeGreaterThan(60)
      expect(share).toBeLessThan(140)
    }
  })

  it('makes plans of mostly early cuts, and each action', () => {
    const random = createRandom(1)
    const plans = Array.from({ length: 2_000 }, () => randomFaults(random))
    const faults = plans.flat()
    const share = (name: Fault['action']) => faults.filter(({ action }) => action === name).length / faults.length
    expect(share('cut')).toBeGreaterThan(0.4)
    for (const name of ['half', 'hold', 'black-hole', 'slow', 'close', 'abandon', 'duplicate-connect'] as const)
      expect(share(name)).toBeGreaterThan(0.03)
    const frames = faults.map(({ before, after }) => before ?? after).filter((n) => n !== undefined)
    expect([Math.min(...frames), Math.max(...frames)]).toEqual([1, 20])
    expect(frames.filter((n) => n <= 5).length).toBeGreaterThan(frames.length * 0.4)
    expect(plans.filter(({ length }) => length === 0).length).toBeGreaterThan(100)
  })
})

describe('the frame scanner', () => {
  const heads = {
    up: 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n\r\n',
    down: 'HTTP/1.1 101 Switching Protocols\r\nX: \r\r\n\r\n',
  }
  interface Frame {
    opcode: number
    fin: boolean
    size: number
    mask: boolean
    /** Bytes of the length; the smallest is not asked for. */
    length: 0 | 2 | 8
  }
  const encode = ({ opcode, fin, size, mask, length }: Frame) => {
    const wide = size > 65_535 || length === 8 ? 8 : size > 125 || length === 2 ? 2 : 0
    const header = Buffer.alloc(2 + wide)
    header[0] = (fin ? 0x80 : 0) | opcode
    header[1] = (mask ? 0x80 : 0) | (wide === 8 ? 127 : wide === 2 ? 126 : size)
    if (wide === 2) header.writeUInt16BE(size, 2)
    if (wide === 8) header.writeBigUInt64BE(BigInt(size), 2)
    // Payload and key look like headers, to whom reads them as such.
    return Buffer.concat([header, Buffer.alloc((mask ? 4 : 0) + size, 0x81)])
  }
  /** Scans the chunks, and returns where the scanner stopped in the whole. */
  const scan = (scanner: FrameScanner, chunks: Uint8Array[]) => {
    const stops = new Set<number>()
    const opened: number[] = []
    let at = 0
    for (let chunk of chunks) {
      while (chunk.length > 0) {
        if (scanner.opens(chunk[0]!)) opened.push(at)
        const taken = scanner.take(chunk)
        at += taken
        chunk = chunk.subarray(taken)
        if (scanner.handshaken && scanner.atBoundary) stops.add(at)
      }
    }
    return { stops: [...stops], opened, frames: scanner.frames, control: scanner.control }
  }
  const message = (mask: boolean) =>
    fc
      .tuple(
        fc.array(
          fc.record({
            size: fc.oneof(fc.nat(300), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000)),
            length: fc.constantFrom(0 as const, 2 as const, 8 as const),
            pings: fc.nat(2),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        fc.constantFrom(1, 2),
      )
      .map(([fragments, opcode]) =>
        fragments.flatMap(({ pings, ...fragment }, at): Frame[] => [
          { ...fragment, mask, opcode: at === 0 ? opcode : 0, fin: at === fragments.length - 1 },
          ...Array.from({ length: pings }, (): Frame => ({ opcode: 9, fin: true, size: pings, mask, length: 0 })),
        ]),
      )
  const expected = (head: string, frames: Frame[]) => {
    let at = head.length
    let inMessage = false
    const stops = [at]
    const opened: number[] = []
    for (const frame of frames) {
      if (frame.opcode <= 2 && !inMessage) opened.push(at)
      if (frame.opcode <= 2) inMessage = !frame.fin
      at += encode(frame).length
      stops.push(at)
    }
    return {
      stops,
      opened,
      frames: frames.filter(({ opcode, fin }) => opcode <= 2 && fin).length,
      control: frames.filter(({ opcode }) => opcode > 2).length,
    }
  }

  it.each(['up', 'down'] as const)('%s finds every frame wherever TCP splits', (at) => {
    const make = at === 'up' ? scanUp : scanDown
    fc.assert(
      fc.property(
        fc.array(message(at === 'up'), { maxLength: 5 }).map((messages) => messages.flat()),
        fc.array(fc.nat(), { maxLength: 40 }),
        (frames, splits) => {
          const whole = Buffer.concat([Buffer.from(heads[at]), ...frames.map(encode)])
          const cuts = [0, ...splits.map((split) => split % whole.length).sort((a, b) => a - b), whole.length]
          const chunks = cuts.slice(1).map((end, index) => whole.subarray(cuts[index], end))
          expect(scan(make(), chunks)).toEqual(expected(heads[at], frames))
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each(['up', 'down'] as const)('%s survives a split at each byte', (at) => {
    const make = at === 'up' ? scanUp : scanDown
    const base = { fin: true, mask: at === 'up', opcode: 2 }
    const frames: Frame[] = [
      { ...base, size: 0, length: 0 },
      { ...base, size: 3, length: 8, fin: false },
      { ...base, size: 2, length: 0, opcode: 9 },
      { ...base, size: 130, length: 2, opcode: 0 },
      { ...base, size: 5, length: 0 },
    ]
    const whole = Buffer.concat([Buffer.from(heads[at]), ...frames.map(encode)])
    const right = expected(heads[at], frames)
    for (let split = 0; split <= whole.length; split++)
      expect(scan(make(), [whole.subarray(0, split), whole.subarray(split)])).toEqual(right)
    expect(
      scan(
        make(),
        Array.from(whole, (byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(right)
  })

  it('leaves alone what is no WebSocket', () => {
    for (const [scanner, head] of [
      [scanUp(), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
      [scanDown(), 'HTTP/1.1 401 Unauthorized\r\n\r\n'],
    ] as const) {
      const { frames, opened, stops } = scan(scanner, [Buffer.from(head), Buffer.of(0x81, 0, 0x81, 0)])
      expect([scanner.opaque, frames, opened, stops]).toEqual([true, 0, [], []])
    }
  })
})

describe('a close frame', () => {
  it('is masked to a server, and not to a client', () => {
    expect(closeFrame(1000, 'a')).toEqual(Buffer.of(0x88, 3, 3, 0xe8, 97))
    expect(closeFrame(1000, 'a', Uint8Array.of(1, 2, 3, 4))).toEqual(
      Buffer.of(0x88, 0x83, 1, 2, 3, 4, 3 ^ 1, 0xe8 ^ 2, 97 ^ 3),
    )
    expect(closeFrame()).toEqual(Buffer.of(0x88, 0))
    expect(() => closeFrame(1000, 'a'.repeat(124))).toThrow(RangeError)
  })
})

describe('TCP', () => {
  it('may split the bytes of a client anywhere', async () => {
    const { ends, proxy } = await setUp([{ at: 'up', before: 3, action: 'cut' }])
    const socket = connect(proxy.port, '127.0.0.1')
    socket.setNoDelay()
    socket.on('error', () => {})
    socket.resume()
    const head = `GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`
    const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`
    const frames = Buffer.from('818100000000618181000000006281810000000063', 'hex')
    for (const byte of Buffer.concat([Buffer.from(head + key), frames])) {
      socket.write(Uint8Array.of(byte))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await until(() => ends[0]?.closed === 1006)
    expect(ends[0]!.heard).toEqual(['a', 'b'])
  })

  it('goes on in HTTP after a refused upgrade', async () => {
    const heard: Buffer[] = []
    const server = createServer((socket) => {
      socket.on('data', (chunk) => heard.push(chunk))
      socket.once('data', () => socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const proxy = await createFaultProxy({ port: (server.address() as AddressInfo).port })
    onTestFinished(() => proxy.close())
    proxy.plan(() => [{ at: 'up', before: 1, action: 'cut' }])
    const client = connect(proxy.port, '127.0.0.1').on('error', () => {})
    client.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')
    await new Promise((resolve) => client.once('data', resolve))
    client.write(Buffer.of(0x81, 0))
    await until(() => heard.length === 2)
    expect(proxy.connections[0]!.up).toEqual({ bytes: 2, frames: 0, control: 0 })
  })
})
