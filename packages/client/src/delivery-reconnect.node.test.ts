import { type AddressInfo, createServer as createTcpServer, type Socket as TcpSocket } from 'node:net'
import { createServer } from '@pairwire/server'
import type { Socket } from '@pairwire/wire'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer, WebSocket as Ws } from 'ws'
import { createRouter, type DeliveryRouter } from '../test/delivery/router.ts'
import { createState } from '../test/delivery/state.ts'
import {
  clientKinds,
  errorOf,
  observe,
  openWorld,
  outcome,
  type Params,
  quiet,
  sleep,
  soon,
  statesOf,
  until,
  watchForStrayErrors,
} from '../test/delivery/world.ts'
import type { Fault } from '../test/faults/proxy.ts'
import { createClient } from './index.ts'

watchForStrayErrors()

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** A TCP server that never says a word. */
const openSilence = async () => {
  const sockets: TcpSocket[] = []
  const server = createTcpServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { sockets, port: (server.address() as AddressInfo).port }
}

/** A WebSocket server that accepts, and never welcomes. */
const openMute = async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'pairwire.1' })
  const heard: string[] = []
  server.on('connection', (socket) => socket.on('message', (data) => heard.push(String(data))))
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { heard, port: (server.address() as AddressInfo).port }
}

/** Enough of a socket for a client: the test is its server. */
class FakeSocket implements Socket {
  readyState = 0
  closed: number | undefined
  readonly sent: string[] = []
  readonly #listeners = new Map<string, (event: object) => void>()
  addEventListener(type: string, listener: (event: never) => void) {
    this.#listeners.set(type, listener as never)
  }
  emit(type: string, event: object = {}) {
    this.#listeners.get(type)?.(event)
  }
  send(data: string) {
    this.sent.push(data)
  }
  close(code: number) {
    this.closed = code
    this.readyState = 3
  }
  open() {
    this.readyState = 1
    this.emit('open')
  }
  welcome() {
    const limits = { window: 262_144, message: 1_048_576, calls: 256 }
    this.emit('message', {
      data: JSON.stringify([1, { session: '', resumed: false, epoch: 'e', heartbeat: 0, limits }]),
    })
  }
  lose(code = 1006) {
    this.readyState = 3
    this.emit('close', { code, reason: '' })
  }
}

describe('a lost connection', () => {
  for (const clientKind of clientKinds) {
    it(`comes back by itself, and says each state on the way, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      expect(client.$connection.state).toBe('idle')
      const heard = statesOf(client)
      await client.query({ key: 'a' })
      world.cut()
      await until(() => heard.states.filter((state) => state === 'open').length === 2)
      expect(heard.states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open'])
      expect(heard.details[1]).toEqual({ resumed: false })
      expect(heard.details[2]).toMatchObject({ code: 1006, delay: expect.any(Number) })
      expect(heard.details[2]!.delay).toBeLessThan(soon.maxDelay)
      expect(heard.details[4]).toEqual({ resumed: true })
      client.$connection.close()
      expect(heard.states.at(-1)).toBe('closed')
      expect(client.$connection.state).toBe('closed')
    })

    it(`says that a server which was started anew does not know it, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const heard = statesOf(client)
      await client.query({ key: 'a' })
      await world.restart()
      await until(() => heard.states.filter((state) => state === 'open').length === 2)
      expect(heard.details.at(-1)).toEqual({ resumed: false })
    })

    it(`holds its calls through five cuts of the resume itself, each at another frame, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const cuts: Fault[] = [
        // Before the handshake's answer, before hello, in the middle of it, before the welcome, in its middle, behind it.
        { at: 'down', byte: 0, action: 'cut' },
        { at: 'up', byte: 0, action: 'cut' },
        { at: 'up', byte: 60, action: 'cut' },
        { at: 'down', before: 1, action: 'cut' },
        { at: 'down', byte: 50, action: 'cut' },
        { at: 'down', after: 1, action: 'cut' },
        { at: 'up', before: 2, action: 'cut' },
        { at: 'down', before: 2, action: 'cut' },
      ]
      world.proxy.plan(({ index }) => (index ? cuts.slice(index - 1, index) : undefined))
      const client = world.client(clientKind)
      const heard = observe<number>(client.events('t'))
      const calls = (['plain', 'idempotent', 'once', 'query'] as const).map((kind) =>
        outcome(client[kind]({ key: kind, hold: true })),
      )
      await until(() => world.state.runs('query').length === 1 && world.state.runs('t').length === 1)
      world.state.topic('t').publish(1)
      await until(() => heard.events.length === 1)
      world.cut()
      for (let attempt = 1; attempt <= cuts.length; attempt++) {
        await until(() => world.proxy.accepted > attempt)
        world.state.topic('t').publish(attempt + 1)
      }
      await until(() => world.proxy.accepted === cuts.length + 2 && client.$connection.state === 'open')
      world.state.openAll()
      const ends = await Promise.all(calls)
      expect(ends.slice(0, 3)).toEqual(['plain', 'idempotent', 'once'].map((kind) => ['ok', `${kind} run 1`]))
      expect(ends[3]![0]).toBe('ok')
      await until(() => heard.events.length === cuts.length + 1)
      await quiet()
      expect(heard.log).toEqual(upTo(cuts.length + 1))
    })
  }

  it('waits a random part of a time that doubles with each failure, up to its most', async () => {
    const world = await openWorld()
    const client = world.client('ws', { reconnect: { minDelay: 2, maxDelay: 40 } })
    const heard = statesOf(client)
    await client.query({ key: 'a' })
    world.proxy.refuse = true
    world.cut()
    await until(() => heard.states.filter((state) => state === 'waiting').length === 8)
    const delays = heard.details.filter((_, n) => heard.states[n] === 'waiting').map(({ delay }) => delay!)
    for (const [n, delay] of delays.entries()) expect(delay).toBeLessThan(Math.min(40, 2 * 2 ** (n + 1)))
    // Not the same each time, and not the most.
    expect(new Set(delays).size).toBe(delays.length)
    world.proxy.refuse = false
    expect(await client.query({ key: 'b' })).toBe('b run 1')
  })

  it('is given up after as many attempts as are allowed, until reconnect() is called', async () => {
    const world = await openWorld()
    const client = world.client('ws', { reconnect: { ...soon, attempts: 3 } })
    const heard = statesOf(client)
    await client.query({ key: 'a' })
    const held = errorOf(client.plain({ key: 'b', hold: true }))
    await until(() => world.state.runs('b').length)
    world.proxy.refuse = true
    world.cut()
    const error = await held
    expect(error).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown' })
    expect(world.proxy.refused).toBe(3)
    expect(client.$connection.state).toBe('closed')
    expect(heard.states.filter((state) => state === 'waiting')).toHaveLength(3)
    expect(await outcome(client.query({ key: 'c' }))).toEqual(['UNAVAILABLE', 'no'])
    world.proxy.refuse = false
    client.$connection.reconnect()
    expect(await client.query({ key: 'd' })).toBe('d run 1')
    world.state.open('b')
  })

  it('is tried at once by reconnect(), however long the wait would be', async () => {
    const world = await openWorld()
    const client = world.client('ws', { reconnect: { minDelay: 1_000_000, maxDelay: 1_000_000 } })
    await client.query({ key: 'a' })
    world.cut()
    await until(() => client.$connection.state === 'waiting')
    const call = client.query({ key: 'b' })
    client.$connection.reconnect()
    expect(await call).toBe('b run 1')
  })

  it('is not tried any more after close(), which stops a wait at once and leaves no timer', async () => {
    vi.useFakeTimers()
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const sockets: FakeSocket[] = []
    const connect = () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    }
    for (const phase of ['waiting', 'connecting', 'open', 'making'] as const) {
      sockets.length = 0
      const client = createClient<DeliveryRouter>('ws://pairwire.test', {
        connect: phase === 'making' ? () => new Promise<Socket>(() => {}) : connect,
      })
      const ends = [outcome(client.query({ key: 'a' })), outcome(client.plain({ key: 'b' }))]
      const log: unknown[] = []
      client.events('t').subscribe({ onError: ({ code }) => log.push(code) })
      await vi.advanceTimersByTimeAsync(1)
      if (phase !== 'making') {
        sockets[0]!.open()
        if (phase !== 'connecting') sockets[0]!.welcome()
        if (phase === 'waiting') sockets[0]!.lose()
        await vi.advanceTimersByTimeAsync(0)
      }
      expect(client.$connection.state).toBe(phase === 'making' ? 'connecting' : phase)
      expect(vi.getTimerCount()).toBeGreaterThan(0)
      client.$connection.close()
      expect(vi.getTimerCount()).toBe(0)
      expect(client.$connection.pending).toBe(0)
      expect((await Promise.all(ends)).map(([code]) => code)).toEqual(['CANCELLED', 'CANCELLED'])
      await vi.advanceTimersByTimeAsync(1_000_000)
      expect(log).toEqual(['CANCELLED'])
      expect(sockets.length).toBe(phase === 'making' ? 0 : 1)
      expect(client.$connection.state).toBe('closed')
      expect(await outcome(client.query({ key: 'c' }))).toEqual(['UNAVAILABLE', 'no'])
    }
  })

  it('that is closed while a real attempt is under way opens no socket afterwards', async () => {
    const world = await openWorld()
    const client = world.client()
    await client.query({ key: 'a' })
    world.cut()
    await until(() => client.$connection.state !== 'open')
    const call = outcome(client.query({ key: 'b' }))
    client.$connection.close()
    expect((await call)[0]).toBe('CANCELLED')
    const { accepted } = world.proxy
    await sleep(60)
    expect(world.proxy.accepted).toBe(accepted)
    expect(world.proxy.connections).toEqual([])
  })
})

describe('1,000 clients that are cut at once', () => {
  const spread = (times: number[], most: number) => {
    const tenths = Array<number>(10).fill(0)
    for (const time of times) tenths[Math.min(9, Math.floor((time / most) * 10))]!++
    return tenths
  }

  for (const [code, most] of [
    [1006, 2],
    [1012, 2],
    [4100, 2],
    [4200, 1],
  ] as const)
    it(`by ${code} come back spread evenly over the whole time`, async () => {
      vi.useFakeTimers()
      onTestFinished(() => {
        vi.useRealTimers()
      })
      let cutAt = 0
      const attempts: number[] = []
      const minDelay = 500
      const clients = upTo(1_000).map(() => {
        const sockets: FakeSocket[] = []
        const client = createClient<DeliveryRouter>('ws://pairwire.test', {
          lazy: false,
          reconnect: { minDelay },
          connect() {
            if (cutAt) attempts.push(Date.now() - cutAt)
            const socket = new FakeSocket()
            sockets.push(socket)
            return socket
          },
        })
        return { client, sockets }
      })
      await vi.advanceTimersByTimeAsync(1)
      for (const { sockets } of clients) {
        sockets[0]!.open()
        sockets[0]!.welcome()
      }
      await vi.advanceTimersByTimeAsync(1)
      expect(clients.every(({ client }) => client.$connection.state === 'open')).toBe(true)
      cutAt = Date.now()
      for (const { sockets } of clients) sockets[0]!.lose(code)
      await vi.advanceTimersByTimeAsync(most * minDelay + 1)
      expect(attempts).toHaveLength(1_000)
      expect(Math.max(...attempts)).toBeLessThanOrEqual(most * minDelay + 1)
      // A hundred each, plus or minus more than five standard deviations.
      for (const n of spread(attempts, most * minDelay)) {
        expect(n).toBeGreaterThan(50)
        expect(n).toBeLessThan(155)
      }
      // Who is lost again waits longer.
      if (most === 2) {
        cutAt = Date.now()
        attempts.length = 0
        for (const { sockets } of clients) sockets[1]!.lose(code)
        await vi.advanceTimersByTimeAsync(2 * most * minDelay + 1)
        for (const n of spread(attempts, 2 * most * minDelay)) {
          expect(n).toBeGreaterThan(50)
          expect(n).toBeLessThan(155)
        }
      }
      for (const { client } of clients) client.$connection.close()
      expect(vi.getTimerCount()).toBe(0)
    })

  it('over real sockets all come back, each at a time of its own', async () => {
    const world = await openWorld()
    const most = 400
    const clients = upTo(300).map(() =>
      world.client('ws', { lazy: false, reconnect: { minDelay: most / 2, maxDelay: most } }),
    )
    await until(() => clients.every(({ $connection }) => $connection.state === 'open'))
    const heard = clients.map(statesOf)
    world.cut()
    await until(() => heard.every(({ states }) => states.join() === 'waiting,connecting,open'))
    // What they waited for, since two busy cores accept in bursts.
    const delays = heard.map(({ details }) => details[0]!.delay!)
    expect(Math.max(...spread(delays, most))).toBeLessThan(65)
    expect(world.proxy.accepted).toBe(600)
    for (const { $connection } of clients) $connection.close()
    await until(() => world.server.held.sessions === 0)
  })
})

describe('a dead peer', () => {
  for (const clientKind of clientKinds)
    it(`behind a black hole is found within heartbeat and pong timeout, with the client ${clientKind}`, async () => {
      const world = await openWorld({ heartbeat: 150 })
      const client = world.client(clientKind, { pongTimeout: 100 })
      const heard = statesOf(client)
      await client.query({ key: 'warm' })
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      const start = performance.now()
      world.proxy.connections[0]!.blackHole()
      await until(() => heard.states.includes('waiting'))
      const took = performance.now() - start
      expect(heard.details[heard.states.indexOf('waiting')]).toMatchObject({ code: 4104 })
      expect(took).toBeGreaterThan(100)
      expect(took).toBeLessThan(150 + 100 + 400)
      world.state.open('a')
      expect(await call).toEqual(['ok', 'a run 1'])
    })

  it('is not suspected as long as anything comes: no ping is sent then', async () => {
    const world = await openWorld({ heartbeat: 120 })
    const client = world.client('ws', { pongTimeout: 60 })
    const heard = observe<number>(client.events('t'))
    await until(() => world.state.runs('t').length)
    const frames = world.proxy.connections[0]!.up.frames
    for (let n = 1; n <= 30; n++) {
      world.state.topic('t').publish(n)
      await sleep(15)
    }
    expect(heard.events).toHaveLength(30)
    expect(world.proxy.connections[0]!.up.frames).toBe(frames)
  })

  it('is asked when it is silent, and lives when it answers', async () => {
    const world = await openWorld({ heartbeat: 40 })
    const client = world.client('ws', { pongTimeout: 300 })
    const heard = statesOf(client)
    await client.query({ key: 'a' })
    const [connection] = world.proxy.connections
    const { frames } = connection!.up
    await until(() => connection!.up.frames >= frames + 4)
    expect(heard.states).toEqual(['connecting', 'open'])
    expect(connection!.down.frames).toBeGreaterThanOrEqual(frames + 3)
  })

  it('is found behind a black hole that swallowed the resume, too', async () => {
    const world = await openWorld()
    world.proxy.plan(({ index }) => (index === 1 ? [{ at: 'up', byte: 0, action: 'black-hole' }] : undefined))
    const client = world.client('ws', { connectTimeout: 80 })
    const heard = statesOf(client)
    const call = outcome(client.plain({ key: 'a', hold: true }))
    await until(() => world.state.runs('a').length)
    world.cut()
    await until(() => heard.details.some(({ code }) => code === 4105))
    world.state.open('a')
    expect(await call).toEqual(['ok', 'a run 1'])
    expect(world.proxy.accepted).toBe(3)
  })
})

describe('a server that does not welcome', () => {
  for (const clientKind of clientKinds)
    it(`is given up after the connect timeout; what waited is sent to the next, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const silent = await openSilence()
      const mute = await openMute()
      const client = world.client(clientKind, { connectTimeout: 60 })
      const heard = statesOf(client)
      const timeouts = () => heard.details.filter(({ code }) => code === 4105).length
      world.proxy.target(silent.port)
      const ends = (['plain', 'once', 'query'] as const).map((kind) => outcome(client[kind]({ key: kind })))
      await until(() => timeouts() === 1)
      world.proxy.target(mute.port)
      await until(() => timeouts() === 3)
      expect(mute.heard.length).toBeGreaterThan(0)
      // Of the calls it was told nothing.
      expect(mute.heard.filter((frame) => !frame.includes('[0,1,'))).toEqual([])
      expect(mute.heard.filter((frame) => frame.includes('plain'))).toEqual([])
      await world.start()
      expect(await Promise.all(ends)).toEqual(['plain', 'once', 'query'].map((kind) => ['ok', `${kind} run 1`]))
    })

  it('and refuses connections is tried until it is there', async () => {
    const world = await openWorld()
    world.proxy.refuse = true
    for (const clientKind of clientKinds) {
      world.proxy.refuse = true
      const before = world.proxy.refused
      const client = world.client(clientKind)
      const call = outcome(client.plain({ key: clientKind }))
      await until(() => world.proxy.refused >= before + 3)
      world.proxy.refuse = false
      expect(await call).toEqual(['ok', `${clientKind} run 1`])
    }
  })

  it('answers the upgrade with an error: it is tried again', async () => {
    const world = await openWorld()
    const http = (await import('node:http')).createServer((_, response) => response.writeHead(503).end())
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      http.close()
    })
    for (const clientKind of clientKinds) {
      world.proxy.target((http.address() as AddressInfo).port)
      const client = world.client(clientKind)
      const { accepted } = world.proxy
      const call = outcome(client.plain({ key: clientKind }))
      await until(() => world.proxy.accepted >= accepted + 3)
      await world.start()
      expect(await call).toEqual(['ok', `${clientKind} run 1`])
      client.$connection.close()
    }
  })
})

describe('authentication', () => {
  for (const clientKind of clientKinds) {
    const thirdTime = (answers: string[]) => {
      let n = 0
      return (): Params => {
        const refuse = answers[n++ - 2]
        return refuse ? { refuse } : {}
      }
    }

    it(`that fails on the third socket is asked once with fresh params, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { params: thirdTime(['UNAUTHENTICATED']) })
      const heard = statesOf(client)
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      world.cut()
      await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
      world.cut()
      await until(() => world.proxy.accepted === 4 && client.$connection.state === 'open')
      expect(heard.details.filter(({ code }) => code === 4301)).toHaveLength(1)
      world.state.open('a')
      expect(await call).toEqual(['ok', 'a run 1'])
    })

    it(`that fails twice in a row closes the connection, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { params: thirdTime(['UNAUTHENTICATED', 'UNAUTHENTICATED']) })
      const heard = statesOf(client)
      const call = outcome(client.plain({ key: 'a', hold: true }))
      const log = observe(client.events('t'))
      await until(() => world.state.runs('a').length && world.state.runs('t').length)
      await client.query({ key: 'warm' })
      world.cut()
      await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
      world.cut()
      expect(await call).toEqual(['UNAVAILABLE', 'unknown'])
      await until(() => log.log.length)
      expect(log.log).toEqual(['error UNAVAILABLE'])
      expect(client.$connection.state).toBe('closed')
      expect(heard.details.at(-1)).toMatchObject({ code: 4301 })
      await quiet()
      expect(world.proxy.accepted).toBe(4)
      // A person signs in again.
      client.$connection.reconnect()
      expect(await client.query({ key: 'b' })).toBe('b run 1')
      world.state.open('a')
    })

    it(`that crashes is tried again after a while, with the same calls, with the client ${clientKind}`, async () => {
      const world = await openWorld({ onError: () => {} })
      const client = world.client(clientKind, { params: thirdTime(['CRASH', 'CRASH', 'UNAVAILABLE']) })
      const heard = statesOf(client)
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      world.cut()
      await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
      world.cut()
      await until(() => world.proxy.accepted === 6 && client.$connection.state === 'open')
      expect(heard.details.map(({ code }) => code).filter(Boolean)).toEqual([1006, 1006, 4100, 4100, 4101])
      world.state.open('a')
      expect(await call).toEqual(['ok', 'a run 1'])
    })

    it(`that is denied on a reconnect closes the connection, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { params: thirdTime(['PERMISSION_DENIED']) })
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      world.cut()
      await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
      world.cut()
      expect(await call).toEqual(['UNAVAILABLE', 'unknown'])
      expect(client.$connection.state).toBe('closed')
      world.state.open('a')
    })
  }

  it('whose params cannot be had for a while is tried again', async () => {
    const world = await openWorld()
    let asked = 0
    const client = world.client('ws', {
      params: async () => {
        if (++asked < 4) throw new Error('the token service is down')
        return {}
      },
    })
    expect(await client.query({ key: 'a' })).toBe('a run 1')
    expect(world.proxy.accepted).toBe(1)
  })
})

describe('a close code', () => {
  const verdicts: Array<[codes: number[], states: string[]]> = [
    [
      [1000, 1002, 1003, 1007, 1008, 4000, 4003, 4008, 4099],
      ['connecting', 'open', 'closed'],
    ],
    [
      [1001, 1011, 1012, 1013, 1014, 3000, 4100, 4103, 4199, 4200, 4299, 4300, 4399, 4400, 4999],
      ['connecting', 'open', 'waiting', 'connecting', 'open'],
    ],
  ]
  for (const clientKind of clientKinds)
    for (const [codes, expected] of verdicts)
      it(`such as ${codes} leads to ${expected.slice(2)}, with the client ${clientKind}`, async () => {
        const world = await openWorld()
        for (const code of codes) {
          const client = world.client(clientKind)
          const heard = statesOf(client)
          await client.query({ key: 'a' })
          const held = outcome(client.plain({ key: `${code}`, hold: true }))
          await until(() => world.state.runs(`${code}`).length)
          world.proxy.connections.at(-1)!.close(code, 'why')
          await until(() => heard.states.length === expected.length)
          expect([code, ...heard.states]).toEqual([code, ...expected])
          expect(heard.details[2]).toMatchObject({ code, reason: 'why' })
          world.state.open(`${code}`)
          expect((await held)[0]).toBe(expected.length === 3 ? 'UNAVAILABLE' : 'ok')
          client.$connection.close()
        }
      })
})

describe('a frame that is too large for the server', () => {
  /** A server whose sockets take less than it says. */
  const openNarrow = async () => {
    const state = createState()
    const server = createServer(createRouter(state), { context: () => ({ user: '', role: '', turn: 0 }) })
    const sockets = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      maxPayload: 4_000,
      handleProtocols: () => 'pairwire.1',
    })
    let connections = 0
    sockets.on('connection', (socket, { headers }) => {
      connections++
      socket.on('error', () => {})
      const request = new Request(`http://${headers.host}/`) as never
      server.accept(socket as never, { request })
    })
    await new Promise((resolve) => sockets.once('listening', resolve))
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      sockets.close()
    })
    return {
      state,
      url: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`,
      get connections() {
        return connections
      },
    }
  }

  for (const WebSocket of [Ws, undefined])
    for (const kind of ['query', 'plain', 'idempotent', 'once'] as const)
      it(`fails its ${kind}, is not sent again, and the others go on (${WebSocket ? 'ws' : 'node'})`, async () => {
        const narrow = await openNarrow()
        const client = createClient<DeliveryRouter>(narrow.url, {
          reconnect: soon,
          ...(WebSocket && { WebSocket: WebSocket as never }),
        })
        onTestFinished(() => client.$connection.close())
        const heard = statesOf(client as never)
        const others = [
          outcome(client.plain({ key: 'b', hold: true })),
          outcome(client.idempotent({ key: 'c', hold: true })),
          outcome(client.query({ key: 'd', hold: true })),
        ]
        const events = observe<number>(client.events('t') as never)
        await until(() => narrow.state.runs('d').length && narrow.state.runs('t').length)
        const error = await errorOf(client[kind]({ key: 'a', padding: 'x'.repeat(20_000) }))
        expect(error.code).toBe('INVALID_ARGUMENT')
        expect(error.message).toContain('too large')
        await until(() => client.$connection.state === 'open')
        narrow.state.openAll()
        expect((await Promise.all(others)).map(([ended]) => ended)).toEqual(['ok', 'ok', 'ok'])
        narrow.state.topic('t').publish(1)
        await until(() => events.events.length === 1)
        expect(narrow.state.runs('a')).toHaveLength(0)
        expect(heard.details.filter(({ code }) => code === 1009)).toHaveLength(1)
        expect(narrow.connections).toBe(2)
      })
})

describe('React', () => {
  it('in StrictMode, mounting twice, has one socket in the end, and events come once', async () => {
    const world = await openWorld()
    const log: unknown[] = []
    const mount = () => {
      const client = world.client()
      const leave = client.events('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      return () => {
        leave()
        client.$connection.close()
      }
    }
    for (let round = 1; round <= 3; round++) {
      // As React does it: both in one go, or with a moment between them.
      const unmountFirst = mount()
      if (round > 1) await sleep(round * 3)
      unmountFirst()
      const unmount = mount()
      await until(() => world.server.held.calls === 1 && world.server.held.sockets === 1)
      await quiet()
      expect(world.server.held).toMatchObject({ sockets: 1, sessions: 1, calls: 1 })
      expect(world.proxy.connections).toHaveLength(1)
      world.state.topic('t').publish(round)
      await until(() => log.length === round)
      unmount()
      await until(() => world.server.held.sessions === 0)
    }
    expect(log).toEqual([1, 2, 3])
  })

  it('in StrictMode, with one client for all, keeps the one socket that it opened', async () => {
    const world = await openWorld()
    const client = world.client()
    const log: unknown[] = []
    const mount = () => client.events('t').subscribe({ onData: (n) => log.push(n), onError() {} })
    mount()()
    mount()
    await until(() => world.server.held.calls === 1)
    world.state.topic('t').publish(1)
    await until(() => log.length === 1)
    expect(world.proxy.accepted).toBe(1)
  })
})

describe('the options of a client', () => {
  it('open a socket at once with lazy: false, and keep it open again after it was lost', async () => {
    const world = await openWorld()
    const client = world.client('ws', { lazy: false })
    await until(() => client.$connection.state === 'open')
    world.cut()
    await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
    expect(await client.query({ key: 'a' })).toBe('a run 1')
    expect(world.proxy.accepted).toBe(2)
  })

  it('close an idle socket, and open it with the next call', async () => {
    const world = await openWorld()
    const client = world.client('ws', { idle: 40 })
    const heard = statesOf(client)
    const call = client.plain({ key: 'a', hold: true })
    await until(() => world.state.runs('a').length)
    await sleep(100)
    expect(client.$connection.state).toBe('open')
    world.state.open('a')
    await call
    await until(() => client.$connection.state === 'idle')
    await until(() => world.server.held.sessions === 0)
    expect(await client.query({ key: 'b' })).toBe('b run 1')
    expect(heard.states).toEqual(['connecting', 'open', 'idle', 'connecting', 'open'])
    const leave = client.events('t').subscribe({})
    await sleep(100)
    expect(client.$connection.state).toBe('open')
    leave()
    await until(() => client.$connection.state === 'idle')
  })

  it('leave nobody hearing of a state who does not want to any more', async () => {
    const world = await openWorld()
    const client = world.client()
    const log: string[] = []
    const off = client.$connection.on('state', (state) => log.push(state))
    await client.query({ key: 'a' })
    off()
    world.cut()
    await until(() => world.proxy.accepted === 2)
    expect(log).toEqual(['connecting', 'open'])
  })
})
