import { describe, expect, it } from 'vitest'
import {
  clientKinds,
  type DeliveryClient,
  observe,
  openWorld,
  outcome,
  quiet,
  sleep,
  statesOf,
  until,
  type World,
  watchForStrayErrors,
} from '../test/delivery/world.ts'

watchForStrayErrors()

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const portOf = (world: World) => Number(world.proxy.log.find(({ what }) => what.startsWith('accepted'))!.what.slice(18))

/** Calls of all kinds, one after another, until told to stop. */
const load = (world: World, client: DeliveryClient, name: string) => {
  let on = true
  const ends: unknown[][] = []
  const keys: string[] = []
  const run = async (kind: 'query' | 'plain' | 'idempotent' | 'once') => {
    for (let n = 0; on; n++) {
      const key = `${name} ${kind} ${n}`
      if (kind !== 'query') keys.push(key)
      const hold = n % 3 === 0
      if (hold) setTimeout(() => world.state.open(key), 5)
      ends.push(await outcome(client[kind]({ key, hold })))
    }
  }
  const all = Promise.all((['query', 'plain', 'idempotent', 'once'] as const).map(run))
  return {
    keys,
    async stop() {
      on = false
      await all
      return ends
    },
  }
}

for (const clientKind of clientKinds)
  describe(`a planned restart, with the client ${clientKind}`, () => {
    for (const [where, another] of [
      ['to another server', true],
      ['in one server', false],
    ] as const)
      it(`${where} fails no call, runs none twice, and loses and doubles no event`, async () => {
        const world = await openWorld()
        const clients = upTo(3).map(() => world.client(clientKind))
        const old = world.server
        const heard = clients.map((client) => observe<number>(client.events('t')))
        const states = clients.map(statesOf)
        await Promise.all(clients.map((client) => client.query({ key: 'warm' })))
        const loads = clients.map((client, n) => load(world, client, `${n}`))
        let published = 0
        const publisher = setInterval(() => world.state.topic('t').publish(++published), 1)
        await sleep(40)
        if (another) await world.start()
        // A long call begins on the old server, and ends there.
        const long = outcome(clients[0]!.plain({ key: 'long', hold: true }))
        await until(() => world.state.runs('long').length)
        const drained = old.drain({ timeout: 5_000 })
        await until(() => world.proxy.accepted === 6)
        await sleep(40)
        world.state.open('long')
        expect(await long).toEqual(['ok', 'long run 1'])
        await drained
        if (another) expect(old.held).toMatchObject({ sockets: 0, calls: 0 })
        await sleep(20)
        clearInterval(publisher)
        const ends = (await Promise.all(loads.map(({ stop }) => stop()))).flat()
        expect(ends.length).toBeGreaterThan(50)
        expect(ends.filter(([ended]) => ended !== 'ok')).toEqual([])
        for (const key of loads.flatMap(({ keys }) => keys)) expect(world.state.runs(key)).toHaveLength(1)
        await until(() => heard.every(({ events }) => events.length >= published))
        await quiet()
        for (const { log } of heard) {
          expect(log).toEqual(upTo(log.length).map((n) => n + (log[0] as number) - 1))
          expect(log.at(-1)).toBe(published)
        }
        // Nobody was ever without a connection.
        for (const { states: seen } of states) expect(seen).toEqual(['open'])
        expect(world.proxy.accepted).toBe(6)
        expect(world.proxy.connections).toHaveLength(3)
        // The new sockets were open before the old ones were gone.
        const { log } = world.proxy
        const third = log.filter(({ what }) => what.startsWith('accepted'))[3]!
        expect(log.find(({ what }) => what === 'gone')!.time).toBeGreaterThan(third.time)
      })

    it('moves a subscription that has no ids at the end only, when the old socket closes', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const old = world.server
      const heard = observe<number>(client.untracked('t'))
      await until(() => heard.log.length === 1)
      await world.start()
      const drained = old.drain({ timeout: 80 })
      await until(() => world.proxy.accepted === 2)
      await sleep(20)
      world.state.topic('t').publish(100)
      await until(() => heard.log.length === 2)
      expect(heard.log).toEqual([1, 100])
      await drained
      await until(() => heard.log.length === 4)
      expect(heard.log).toEqual([1, 100, 'gap untracked', 2])
    })

    it('is over when its time is: what still runs there is closed, and nobody knows what becomes of it', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const old = world.server
      const calls = (['plain', 'idempotent', 'once', 'query'] as const).map((kind) =>
        outcome(client[kind]({ key: kind, hold: true })),
      )
      await until(() => world.state.runs('query').length)
      await world.start()
      const start = performance.now()
      await old.drain({ timeout: 80 })
      const took = performance.now() - start
      expect(took).toBeGreaterThan(70)
      expect(took).toBeLessThan(600)
      await until(() => world.state.runs('query').length === 2 && world.state.runs('idempotent').length === 2)
      world.state.openAll()
      expect(await Promise.all(calls)).toEqual([
        ['UNAVAILABLE', 'unknown'],
        ['ok', 'idempotent run 2'],
        ['UNAVAILABLE', 'unknown'],
        ['ok', 'query run 2'],
      ])
      expect(world.state.runs('plain')).toHaveLength(1)
      expect(world.state.runs('once')).toHaveLength(1)
    })

    it('in one server gives what still ran its real result, when its time is over', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const calls = (['plain', 'idempotent', 'once'] as const).map((kind) =>
        outcome(client[kind]({ key: kind, hold: true })),
      )
      await until(() => world.state.runs('once').length)
      await world.server.drain({ timeout: 60 })
      await until(() => world.proxy.connections.length === 1)
      world.state.openAll()
      expect(await Promise.all(calls)).toEqual(['plain', 'idempotent', 'once'].map((kind) => ['ok', `${kind} run 1`]))
    })

    it('lets new calls wait for nothing: those made while the next socket opens are answered by the old one', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      await client.query({ key: 'warm' })
      const old = world.server
      await world.start()
      world.proxy.plan(() => [{ at: 'down', byte: 0, action: 'hold', ms: 200 }])
      const drained = old.drain()
      await until(() => world.proxy.accepted === 2)
      for (const n of upTo(10)) expect(await client.plain({ key: 'a' })).toBe(`a run ${n}`)
      expect(world.proxy.connections[1]!.down.frames).toBe(0)
      await drained
    })

    it('waits as long as the server asks for, spread over the shortest delay', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      await client.query({ key: 'warm' })
      const start = performance.now()
      const drained = world.server.drain({ retryAfter: 120 })
      await drained
      const took = performance.now() - start
      expect(took).toBeGreaterThan(110)
      expect(client.$connection.state).toBe('open')
      expect(world.proxy.accepted).toBe(2)
    })

    it('goes on with the old socket where the new one cannot be had, and tries again', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      await client.query({ key: 'warm' })
      const old = world.server
      world.proxy.refuse = true
      const drained = old.drain()
      await until(() => world.proxy.refused >= 3)
      expect(client.$connection.state).toBe('open')
      expect(await client.plain({ key: 'a' })).toBe('a run 1')
      await world.start()
      world.proxy.refuse = false
      await drained
      expect(await client.plain({ key: 'b' })).toBe('b run 1')
    })
  })

describe('a mutation that two servers may have heard of', () => {
  it('is not run again by the next server, where it was made while the next socket opened and the old one was cut', async () => {
    for (const kind of ['plain', 'once'] as const) {
      const world = await openWorld()
      const client = world.client()
      await client.query({ key: 'warm' })
      const old = world.server
      const [first] = world.proxy.connections
      await world.start()
      // The second socket hears nothing for a while: meanwhile calls go to the old server.
      world.proxy.plan(() => [{ at: 'down', byte: 0, action: 'hold', ms: 150 }])
      const drained = old.drain({ timeout: 5_000 })
      await until(() => world.proxy.connections.length === 2)
      const second = world.proxy.connections[1]!
      const call = outcome(client[kind]({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length === 1)
      await until(() => second.down.frames === 1)
      first!.cut()
      await drained
      world.state.open('a')
      expect(await call).toEqual(['UNAVAILABLE', 'unknown'])
      expect(world.state.runs('a')).toHaveLength(1)
    }
  })

  it('is not run again by the first of two servers, which still holds the session, after it ran on the second', async () => {
    for (const kind of ['plain', 'once'] as const) {
      const world = await openWorld()
      const client = world.client()
      await client.query({ key: 'warm' })
      const port = portOf(world)
      await world.start()
      world.cut()
      await until(() => client.$connection.state === 'open' && world.proxy.accepted === 2)
      const call = outcome(client[kind]({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length === 1)
      // Back to the first, as a load balancer may have it.
      world.proxy.target(port)
      world.cut()
      await until(() => world.proxy.accepted === 3)
      world.state.open('a')
      expect(await call).toEqual(['UNAVAILABLE', 'unknown'])
      expect(world.state.runs('a')).toHaveLength(1)
    }
  })

  it('is answered with its real result, where the client comes back to the server that ran it', async () => {
    const world = await openWorld()
    const client = world.client()
    const call = outcome(client.plain({ key: 'a', hold: true }))
    await until(() => world.state.runs('a').length)
    const port = portOf(world)
    // The other one was never welcomed by: nothing was sent to it.
    await world.start()
    world.proxy.plan(({ index }) => (index === 1 ? [{ at: 'down', before: 1, action: 'cut' }] : undefined))
    world.cut()
    await until(() => world.proxy.accepted === 2 && world.proxy.connections.length === 0)
    world.proxy.target(port)
    world.state.open('a')
    expect(await call).toEqual(['ok', 'a run 1'])
  })
})

it('drain() of a server without connections is over at once, and a second drain() with the first', async () => {
  const world = await openWorld()
  await world.server.drain()
  const client = world.client()
  const call = client.plain({ key: 'a', hold: true })
  await until(() => world.state.runs('a').length)
  const both = [world.server.drain(), world.server.drain()]
  await until(() => world.proxy.accepted === 2)
  world.state.open('a')
  expect(await call).toBe('a run 1')
  await Promise.all(both)
})
