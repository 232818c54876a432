import { memoryTopic } from '@pairwire/server'
import { describe, expect, it } from 'vitest'
import {
  clientKinds,
  type DeliveryClient,
  errorOf,
  observe,
  openWorld,
  outcome,
  quiet,
  sleep,
  until,
  type World,
  watchForStrayErrors,
} from '../test/delivery/world.ts'

watchForStrayErrors()

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const goOffline = async (world: World, ...clients: DeliveryClient[]) => {
  world.proxy.refuse = true
  world.cut()
  await until(() => clients.every(({ $connection }) => $connection.state !== 'open'))
}

describe('results that are kept for a client', () => {
  /** Twelve mutations end while their client is away, with results of so many bytes. */
  const setUp = async (results: number, size: number) => {
    const world = await openWorld({ limits: { results } })
    const client = world.client()
    const keys = upTo(12).map((n) => `k${n}`)
    const calls = keys.map((key) => outcome(client.plain({ key, hold: true, size })))
    await until(() => world.server.held.calls === 12)
    await goOffline(world, client)
    for (const key of keys) {
      world.state.open(key)
      await until(() => world.state.runs(key)[0]!.ended)
    }
    await until(() => world.server.held.calls === 0)
    const { held } = world.server
    world.proxy.refuse = false
    return { world, held, ends: await Promise.all(calls), keys }
  }

  it('take no more than their bound: the oldest are forgotten, and then nobody knows, but nothing is run twice', async () => {
    const { world, held, ends, keys } = await setUp(10_000, 2_000)
    expect(held.results).toBe(4)
    expect(held.resultBytes).toBeLessThanOrEqual(10_000)
    expect(ends.slice(0, 8)).toEqual(Array(8).fill(['UNAVAILABLE', 'unknown']))
    expect(ends.slice(8).map(([ended]) => ended)).toEqual(Array(4).fill('ok'))
    for (const key of keys) expect(world.state.runs(key)).toHaveLength(1)
  })

  it('are all there within their bound', async () => {
    const { world, held, ends, keys } = await setUp(100_000, 2_000)
    expect(held.results).toBe(12)
    expect(ends.map(([ended]) => ended)).toEqual(Array(12).fill('ok'))
    for (const key of keys) expect(world.state.runs(key)).toHaveLength(1)
  })

  it('are forgotten where one alone is larger than the bound, and it is not run twice', async () => {
    const { held, ends } = await setUp(1_000, 2_000)
    expect(held).toMatchObject({ results: 0, resultBytes: 0 })
    expect(ends).toEqual(Array(12).fill(['UNAVAILABLE', 'unknown']))
  })

  it('are let go once the client has them, also while its connection goes on', async () => {
    const world = await openWorld()
    for (const clientKind of clientKinds) {
      const client = world.client(clientKind)
      let most = 0
      for (const n of upTo(300)) {
        await client.plain({ key: `${n}`, size: 100 })
        most = Math.max(most, world.server.held.results)
      }
      // 32 that were sent since it was last asked, and 32 that it is being asked about.
      expect(most).toBeLessThanOrEqual(64)
      client.$connection.close()
      await until(() => world.server.held.sessions === 0)
    }
  })

  it('do not pile up over many cuts', async () => {
    const world = await openWorld()
    const client = world.client()
    for (const n of upTo(30)) {
      const calls = upTo(10).map((m) => client.plain({ key: `${n} ${m}` }))
      await Promise.all(calls)
      world.cut()
      await until(() => world.proxy.accepted === n + 1 && client.$connection.state === 'open')
    }
    await client.query({ key: 'warm' })
    await until(() => world.server.held.results <= 32)
  })

  it('do not pile up where calls are given up while their connection is lost', async () => {
    const world = await openWorld()
    const client = world.client()
    for (const n of upTo(20)) {
      const controller = new AbortController()
      const call = outcome(client.plain({ key: `${n}`, hold: true, size: 1_000 }, { signal: controller.signal }))
      await until(() => world.state.runs(`${n}`).length)
      await goOffline(world, client)
      controller.abort()
      expect(await call).toEqual(['CANCELLED', 'unknown'])
      world.state.open(`${n}`)
      await until(() => world.state.runs(`${n}`)[0]!.ended)
      world.proxy.refuse = false
      await client.query({ key: 'warm' })
    }
    await until(() => world.server.held.results === 0)
  })
})

describe('sessions that are kept without a socket', () => {
  const setUp = async (keep: { sessions?: number; bytes?: number }, size = 0) => {
    const world = await openWorld({ keep })
    const clients = upTo(6).map(() => world.client())
    const calls: Promise<unknown[]>[] = []
    world.proxy.refuse = false
    for (const [n, client] of clients.entries()) {
      calls.push(outcome(client.plain({ key: `${n}`, hold: true, size })))
      await until(() => world.state.runs(`${n}`).length)
    }
    // They lose their sockets one after another, with a result that waits for them.
    for (const [n, connection] of [...world.proxy.connections].entries()) {
      connection.hold('down')
      world.state.open(`${n}`)
      await until(() => world.state.runs(`${n}`)[0]!.ended)
    }
    await until(() => world.server.held.calls === 0)
    world.proxy.refuse = true
    for (const connection of world.proxy.connections) {
      const { sockets } = world.server.held
      connection.cut()
      await until(() => world.server.held.sockets < sockets)
    }
    const { held } = world.server
    world.proxy.refuse = false
    return { world, held, ends: await Promise.all(calls) }
  }

  it('are as many as their bound: the one that was lost first is forgotten first, and is not run twice', async () => {
    const { world, held, ends } = await setUp({ sessions: 4 })
    expect(held.sessions).toBe(4)
    expect(ends.map(([ended]) => ended)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'ok', 'ok', 'ok', 'ok'])
    for (const n of upTo(6)) expect(world.state.runs(`${n - 1}`)).toHaveLength(1)
  })

  it('take as many bytes as their bound, and likewise', async () => {
    const { world, held, ends } = await setUp({ bytes: 10_000 }, 3_000)
    expect(held.resultBytes).toBeLessThanOrEqual(10_000)
    expect(ends.map(([ended]) => ended)).toEqual([...Array(3).fill('UNAVAILABLE'), ...Array(3).fill('ok')])
    for (const n of upTo(6)) expect(world.state.runs(`${n - 1}`)).toHaveLength(1)
  })
})

describe('calls that wait for a connection', () => {
  for (const clientKind of clientKinds) {
    it(`take no more than the buffer: one more is refused at once, and did not run, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { buffer: 50_000 })
      await client.query({ key: 'warm' })
      await goOffline(world, client)
      const padding = 'x'.repeat(9_000)
      const ends = await Promise.all([
        ...upTo(5).map((n) => {
          const call = outcome(client.plain({ key: `${n}`, padding }))
          if (n === 5) setTimeout(() => (world.proxy.refuse = false), 20)
          return call
        }),
        outcome(client.plain({ key: '6', padding })),
        // A small one still has room.
        outcome(client.plain({ key: '7' })),
      ])
      expect(ends).toEqual([
        ...upTo(5).map((n) => ['ok', `${n} run 1`]),
        ['RESOURCE_EXHAUSTED', 'no'],
        ['ok', '7 run 1'],
      ])
      expect(world.state.runs('6')).toHaveLength(0)
      // And there is room again.
      expect(await client.plain({ key: '8', padding })).toBe('8 run 1')
      expect(client.$connection.pending).toBe(0)
    })

    it(`have a bound to their number, too, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { buffer: 10_000 })
      await client.query({ key: 'warm' })
      await goOffline(world, client)
      const calls = upTo(1_000).map(() => outcome(client.who()))
      expect(client.$connection.pending).toBeLessThan(200)
      world.proxy.refuse = false
      const ends = await Promise.all(calls)
      expect(new Set(ends.map(([ended]) => ended))).toEqual(new Set(['ok', 'RESOURCE_EXHAUSTED']))
    })

    it(`and wait for their answers are as many as the server takes, with the client ${clientKind}`, async () => {
      const world = await openWorld({ limits: { calls: 4 } })
      const client = world.client(clientKind)
      const calls = upTo(20).map((n) => outcome(client.plain({ key: `${n}`, hold: true })))
      await until(() => world.server.held.calls === 4)
      await quiet()
      expect(world.server.held.calls).toBe(4)
      world.cut()
      await until(() => world.proxy.accepted === 2 && client.$connection.state === 'open')
      world.state.openAll()
      expect((await Promise.all(calls)).map(([ended]) => ended)).toEqual(Array(20).fill('ok'))
      for (const n of upTo(20)) expect(world.state.runs(`${n}`)).toHaveLength(1)
    })
  }
})

describe('the rate of calls', () => {
  for (const clientKind of clientKinds) {
    it(`is kept to by the client ${clientKind}, and each call is run in the end, once`, async () => {
      const world = await openWorld({ limits: { rate: 200, burst: 10 } })
      const client = world.client(clientKind)
      const start = performance.now()
      const calls = upTo(50).map((n) => outcome(client.plain({ key: `${n}` })))
      const ends = await Promise.all(calls)
      const took = performance.now() - start
      expect(ends).toEqual(upTo(50).map((n) => ['ok', `${n} run 1`]))
      // 40 beyond the burst, at 200 a second.
      expect(took).toBeGreaterThan(180)
      expect(took).toBeLessThan(2_000)
      for (const n of upTo(50)) expect(world.state.runs(`${n}`)).toHaveLength(1)
    })

    it(`is told with RESOURCE_EXHAUSTED where a deadline leaves no time, with the client ${clientKind}`, async () => {
      const world = await openWorld({ limits: { rate: 1, burst: 2 } })
      const client = world.client(clientKind)
      const ends = await Promise.all(
        upTo(4).map((n) => errorOf(client.plain({ key: `${n}` }, { timeout: 400 })).catch(() => 'ok')),
      )
      expect(ends.slice(0, 2)).toEqual(['ok', 'ok'])
      for (const error of ends.slice(2)) {
        expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', executed: 'no' })
        expect((error as { retryAfter: number }).retryAfter).toBeGreaterThan(0)
      }
      expect(world.state.runs('3')).toHaveLength(0)
    })

    it(`is one for a session, whatever its sockets: a reconnect gives no more, with the client ${clientKind}`, async () => {
      const world = await openWorld({ limits: { rate: 50, burst: 5 } })
      const client = world.client(clientKind)
      const start = performance.now()
      for (const round of upTo(3)) {
        await Promise.all(upTo(5).map((n) => client.plain({ key: `${round} ${n}` })))
        world.cut()
        await until(() => world.proxy.accepted === round + 1 && client.$connection.state === 'open')
      }
      // Ten beyond the burst, at 50 a second.
      expect(performance.now() - start).toBeGreaterThan(160)
    })
  }
})

describe('a topic that keeps little', () => {
  it('makes a gap for a reader that is slower than what is kept, and not for one that keeps up', async () => {
    const world = await openWorld()
    world.state.setTopic('t', memoryTopic<number>({ retain: 50 }))
    const quick = world.client()
    const slow = world.client('ws', { window: 500 })
    const heard = observe<number>(quick.events('t'))
    const log: unknown[] = []
    slow.events('t').subscribe({
      onData: async (n) => {
        log.push(n)
        await sleep(3)
      },
      onGap: ({ reason }) => log.push(`gap ${reason}`),
      onError() {},
    })
    await until(() => world.state.runs('t').length === 2)
    for (const n of upTo(300)) {
      world.state.topic('t').publish(n)
      if (n % 10 === 0) await sleep(1)
    }
    await until(() => heard.events.length === 300)
    expect(heard.log).toEqual(upTo(300))
    await until(() => log.some((entry) => typeof entry === 'string'))
    await quick.query({ key: 'warm' })
    // In order, and nothing missing where no gap was told.
    await sleep(100)
    world.state.topic('t').publish(301)
    await until(() => log.at(-1) === 301)
    let last = 0
    let told = false
    for (const entry of log) {
      if (typeof entry === 'string') told = true
      else {
        expect(entry as number).toBeGreaterThan(last)
        if (!told) expect(entry).toBe(last + 1)
        last = entry as number
        told = false
      }
    }
  })

  it('by age makes a gap for who was away longer', async () => {
    const world = await openWorld()
    world.state.setTopic('t', memoryTopic<number>({ age: 60 }))
    const client = world.client()
    const heard = observe<number>(client.events('t'))
    await until(() => world.state.runs('t').length)
    await client.query({ key: 'warm' })
    world.state.topic('t').publish(1)
    await until(() => heard.events.length === 1)
    await goOffline(world, client)
    world.state.topic('t').publish(2)
    await sleep(90)
    world.proxy.refuse = false
    await until(() => heard.log.includes('gap lost'))
    await client.query({ key: 'warm' })
    world.state.topic('t').publish(3)
    await until(() => heard.events.includes(3))
    expect(heard.log).toEqual([1, 'gap lost', 3])
  })
})

describe('what is held', () => {
  for (const clientKind of clientKinds)
    it(`returns to nothing after a hundred cuts under load, at both ends, with the client ${clientKind}`, async () => {
      const world = await openWorld({ grace: 200 })
      const clients = upTo(4).map(() => world.client(clientKind, { reconnect: { minDelay: 1, maxDelay: 4 } }))
      let on = true
      const ends: unknown[][] = []
      const loads = clients.flatMap((client, c) =>
        (['query', 'plain', 'idempotent', 'once'] as const).map(async (kind) => {
          for (let n = 0; on; n++) ends.push(await outcome(client[kind]({ key: `${c} ${kind} ${n}` })))
        }),
      )
      const leaves = clients.map((client, n) => client.events(`${n}`).subscribe({ onGap() {} }))
      for (let cuts = 0; cuts < 100; ) {
        await sleep(2)
        for (const connection of world.proxy.connections)
          if (connection.down.frames > 1) {
            connection.cut()
            cuts++
          }
      }
      on = false
      await Promise.all(loads)
      for (const leave of leaves) leave()
      expect(ends.filter(([ended]) => ended !== 'ok')).toEqual([])
      expect(clients.map(({ $connection }) => $connection.pending)).toEqual([0, 0, 0, 0])
      await until(() => world.server.held.calls === 0)
      for (const { $connection } of clients) $connection.close()
      // Also of those whose socket was lost when they closed.
      await until(() => Object.values(world.server.held).every((n) => n === 0))
    })
})
