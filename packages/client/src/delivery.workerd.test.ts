import { exports } from 'cloudflare:workers'
import { createServer, type Server } from '@pairwire/server'
import type { Socket } from '@pairwire/wire'
import { describe, expect, it, onTestFinished } from 'vitest'
import { newKey, outcome, sleep } from '../../server/test/suites/place.ts'
import type { TestRouter } from '../../server/test/suites/router.ts'
import { FaultSocket } from '../test/delivery/fault-socket.ts'
import { createRouter, type DeliveryRouter } from '../test/delivery/router.ts'
import { createState } from '../test/delivery/state.ts'
import { createClient, type PairwireClient } from './index.ts'
import { createClient as createJsonClient } from './json.ts'

const until = async (holds: () => unknown) => {
  for (const start = Date.now(); !holds(); await sleep(2))
    if (Date.now() - start > 5_000) throw new Error(`it did not come true: ${holds}`)
}
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const soon = { minDelay: 4, maxDelay: 20 }
const upgrade = { headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' } }

type Options = { grace?: number; heartbeat?: number }

/** A server whose sockets are halves of WebSocketPairs, and clients whose sockets can be cut. */
const openWorld = (options: Options = {}) => {
  const state = createState()
  const make = () =>
    createServer(createRouter(state), {
      ...options,
      context: () => ({ user: 'ann', role: 'admin', turn: 0 }),
    }) as Server
  const servers = [make()]
  const sockets: FaultSocket[] = []
  let down = false
  const world = {
    state,
    sockets,
    get server() {
      return servers.at(-1)!
    },
    /** While true no socket is to be had. */
    set down(value: boolean) {
      down = value
    },
    start() {
      servers.push(make())
    },
    cut() {
      for (const socket of sockets) socket.cut()
    },
    client(kind: 'rich' | 'json' = 'rich'): PairwireClient<DeliveryRouter> {
      const own = {
        reconnect: soon,
        connect() {
          if (down) throw new Error('down')
          const { webSocket } = world.server.fetch(new Request('http://chat.test/', upgrade) as never) as unknown as {
            webSocket: WebSocket
          }
          webSocket.accept()
          const socket = new FaultSocket(webSocket as unknown as Socket)
          sockets.push(socket)
          return socket
        },
      }
      const client =
        kind === 'json'
          ? createJsonClient<DeliveryRouter>('ws://chat.test/', own)
          : createClient<DeliveryRouter>('ws://chat.test/', own)
      onTestFinished(() => client.$connection.close())
      return client
    },
  }
  onTestFinished(async () => {
    state.openAll()
    for (const server of servers) server.close()
    await until(() => servers.every(({ held }) => Object.values(held).every((n) => n === 0)))
  })
  return world
}

for (const clientKind of ['rich', 'json'] as const)
  describe(`over WebSocketPairs, with the client ${clientKind},`, () => {
    const ways = {
      'before it was sent': { query: ['ok', 1], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'on its way to the server': { query: ['ok', 1], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'while it ran': { query: ['ok', 2], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'after it ran, before its answer,': {
        query: ['ok', 2],
        plain: ['ok', 1],
        idempotent: ['ok', 1],
        once: ['ok', 1],
      },
      'while it ran, by another server,': {
        query: ['ok', 2],
        plain: ['UNAVAILABLE', 1],
        idempotent: ['ok', 2],
        once: ['UNAVAILABLE', 1],
      },
    } as const
    for (const [way, promises] of Object.entries(ways))
      for (const kind of ['query', 'plain', 'idempotent', 'once'] as const) {
        const [ended, runs] = promises[kind]
        it(`${kind} that was cut ${way} ends with ${ended}, and ran ${runs} times`, async () => {
          const world = openWorld()
          const client = world.client(clientKind)
          await client.query({ key: 'warm' })
          const [socket] = world.sockets
          const start = (hold = false) => outcome(client[kind]({ key: 'a', hold }))
          let call: Promise<unknown[]>
          if (way === 'before it was sent') {
            world.down = true
            world.cut()
            call = start()
            await sleep(20)
            world.down = false
          } else if (way.startsWith('on its way')) {
            socket!.muteUp = true
            call = start()
            await sleep(10)
            world.cut()
          } else if (way.startsWith('after')) {
            socket!.muteDown = true
            call = start()
            await until(() => world.state.runs('a')[0]?.ended)
            await sleep(10)
            world.cut()
          } else {
            call = start(true)
            await until(() => world.state.runs('a').length)
            if (way.includes('another')) world.start()
            world.cut()
            await until(() => world.sockets.length === 2 && client.$connection.state === 'open')
            await sleep(10)
            world.state.open('a')
          }
          expect((await call)[0]).toBe(ended)
          expect(world.state.runs('a')).toHaveLength(runs)
        })
      }

    it('tracked events come once and in order through many cuts, and an end that is lost comes once', async () => {
      const world = openWorld()
      const client = world.client(clientKind)
      const log: unknown[] = []
      client.some({ topic: 't', n: 1_000 }).subscribe({
        onData: (n) => log.push(n),
        onGap: ({ reason }) => log.push(reason),
        onError: ({ code }) => log.push(code),
        onDone: () => log.push('done'),
      })
      await until(() => world.state.runs('t').length)
      await client.query({ key: 'warm' })
      for (const n of upTo(1_000)) {
        world.state.topic('t').publish(n)
        if (n % 50) continue
        await sleep(n % 100 ? 2 : 0)
        world.cut()
        // As long as an attempt may take; it need not have succeeded.
        await sleep(n % 200 ? 25 : 3)
      }
      await until(() => log.at(-1) === 'done')
      expect(log).toEqual([...upTo(1_000), 'done'])
      expect(world.sockets.length).toBeGreaterThan(10)
    })

    it('a subscription without ids is run again, and says so', async () => {
      const world = openWorld()
      const client = world.client(clientKind)
      const log: unknown[] = []
      client
        .untracked('t')
        .subscribe({ onData: (n) => log.push(n), onGap: ({ reason }) => log.push(reason), onError() {} })
      await until(() => log.length === 1)
      world.cut()
      await until(() => log.length === 3)
      expect(log).toEqual([1, 'untracked', 2])
    })

    it('a stalled old socket gives way to the new one, and its call ran once', async () => {
      const world = openWorld()
      const client = world.client(clientKind)
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      world.sockets[0]!.abandon()
      await until(() => world.sockets.length === 2 && client.$connection.state === 'open')
      await until(() => world.server.held.sockets === 1)
      world.state.open('a')
      expect(await call).toEqual(['ok', 'a run 1'])
      expect(world.state.runs('a')).toHaveLength(1)
    })

    it('a drain moves everything without a gap', async () => {
      const world = openWorld()
      const client = world.client(clientKind)
      const states: string[] = []
      client.$connection.on('state', (state) => states.push(state))
      const log: unknown[] = []
      client.events('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      await until(() => world.state.runs('t').length)
      await client.query({ key: 'warm' })
      const long = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      const old = world.server
      world.start()
      const drained = old.drain()
      for (const n of upTo(50)) {
        world.state.topic('t').publish(n)
        expect(await client.plain({ key: 'b' })).toBe(`b run ${n}`)
      }
      await until(() => world.sockets.length === 2)
      world.state.open('a')
      expect(await long).toEqual(['ok', 'a run 1'])
      await drained
      await until(() => log.length === 50)
      expect(log).toEqual(upTo(50))
      expect(states).toEqual(['connecting', 'open'])
    })

    it('the grace of a mutation ends with its signal; a query is aborted at once', async () => {
      const world = openWorld({ grace: 80 })
      const client = world.client(clientKind)
      const ends = (['query', 'plain'] as const).map((kind) => outcome(client[kind]({ key: kind, hold: true })))
      await until(() => world.state.runs('plain').length)
      world.down = true
      world.cut()
      await until(() => world.state.runs('query')[0]!.aborted)
      expect(world.state.runs('plain')[0]!.aborted).toBeUndefined()
      await until(() => world.state.runs('plain')[0]!.aborted)
      world.down = false
      await until(() => world.state.runs('query').length === 2)
      world.state.openAll()
      expect(await Promise.all(ends)).toEqual([
        ['ok', 'query run 2'],
        ['UNAVAILABLE', 'unknown'],
      ])
    })
  })

describe('a Durable Object', () => {
  const open = (name = 'main') => {
    const sockets: FaultSocket[] = []
    const client = createClient<TestRouter>(`ws://chat.test/object/${name}`, {
      reconnect: soon,
      async connect() {
        const { webSocket } = await exports.default.fetch(`http://chat.test/object/${name}`, upgrade)
        webSocket!.accept()
        const socket = new FaultSocket(webSocket as unknown as Socket)
        sockets.push(socket)
        return socket
      },
    })
    onTestFinished(() => client.$connection.close())
    return { client, sockets }
  }

  it('remembers a mutation that was cut before its answer, and does not run it again', async () => {
    const { client, sockets } = open()
    const key = newKey()
    await client.add({ a: 1, b: 1 })
    sockets[0]!.muteDown = true
    const call = client.order({ key, n: 7 })
    await sleep(30)
    sockets[0]!.cut()
    expect(await call).toBe(7)
    expect(await client.witness.of(key)).toEqual([7])
    expect(sockets).toHaveLength(2)
  })

  it('runs a mutation that was swallowed on its way, once', async () => {
    const { client, sockets } = open()
    const key = newKey()
    await client.add({ a: 1, b: 1 })
    sockets[0]!.muteUp = true
    const call = client.order({ key, n: 8 })
    await sleep(30)
    sockets[0]!.cut()
    expect(await call).toBe(8)
    expect(await client.witness.of(key)).toEqual([8])
  })

  it('lets a mutation run on that lost its socket, and answers it on the next', async () => {
    const { client, sockets } = open()
    const key = newKey()
    const call = outcome(client.wait(key, { timeout: 400 }))
    await sleep(50)
    sockets[0]!.cut()
    expect((await call)[0]).toBe('DEADLINE_EXCEEDED')
    expect(await client.witness.of(key)).toEqual(['started', 'DEADLINE_EXCEEDED'])
  })
})

describe('a plain Worker', () => {
  it('cannot know what became of a mutation whose request was cancelled, and never runs it twice', async () => {
    const sockets: FaultSocket[] = []
    const client = createClient<TestRouter>('ws://chat.test/main', {
      reconnect: soon,
      async connect() {
        const { webSocket } = await exports.default.fetch('http://chat.test/main', upgrade)
        webSocket!.accept()
        const socket = new FaultSocket(webSocket as unknown as Socket)
        sockets.push(socket)
        return socket
      },
    })
    onTestFinished(() => client.$connection.close())
    const key = newKey()
    await client.add({ a: 1, b: 1 })
    sockets[0]!.muteDown = true
    const call = outcome(client.order({ key, n: 7 }))
    await sleep(30)
    sockets[0]!.cut()
    const [ended] = await call
    expect(['ok', 'UNAVAILABLE']).toContain(ended)
    expect(await client.witness.of(key)).toEqual([7])
  })
})
