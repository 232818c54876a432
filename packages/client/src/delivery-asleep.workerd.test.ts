import { env } from 'cloudflare:workers'
import { describe, expect } from 'vitest'
import { type Courier, stateOf } from '../../server/test/eviction/courier.ts'
import { EvictingSocket } from '../../server/test/eviction/evicting-socket.ts'
import { type Choose, Evictor } from '../../server/test/eviction/evictor.ts'
import { connectTo } from '../../server/test/eviction/matrix.ts'
import { type Plan, playAll } from '../../server/test/eviction/scenario.ts'
import { outcome, sleep } from '../../server/test/suites/place.ts'
import { FaultSocket } from '../test/delivery/fault-socket.ts'
import type { DeliveryRouter } from '../test/delivery/router.ts'
import type { State } from '../test/delivery/state.ts'
import { createClient, type PairwireClient, type RichClientOptions } from './index.ts'
import { createClient as createJsonClient } from './json.ts'

const until = async (holds: () => unknown) => {
  for (const start = Date.now(); !holds(); await sleep(2))
    if (Date.now() - start > 5_000) throw new Error(`it did not come true: ${holds}`)
}
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i)

/** An object that is evicted, and clients whose sockets can be cut. */
interface World {
  readonly stub: DurableObjectStub<Courier>
  readonly evictor: Evictor
  readonly state: State
  readonly sockets: FaultSocket[]
  /** While true no socket is to be had. */
  down: boolean
  cut(): void
  evict(): Promise<void>
  client(options?: RichClientOptions): PairwireClient<DeliveryRouter>
  close(): Promise<void>
}

let objects = 0
const kinds = { rich: createClient, json: createJsonClient } as const

const worldOf =
  (kind: keyof typeof kinds, options: object) =>
  (choose: Choose): World => {
    const name = `${JSON.stringify(options)}\n${++objects}`
    const state = stateOf(name)
    const evictor = new Evictor(() => world.stub, choose)
    const clients: PairwireClient<DeliveryRouter>[] = []
    const world: World = {
      get stub() {
        return env.COURIERS.getByName(name)
      },
      evictor,
      state,
      sockets: [],
      down: false,
      cut() {
        for (const socket of world.sockets) socket.cut()
      },
      evict: () => evictor.evict(),
      client(options) {
        const client = (kinds[kind] as typeof createClient)<DeliveryRouter>('ws://chat.test/', {
          reconnect: { minDelay: 4, maxDelay: 20 },
          async connect() {
            if (world.down) throw new Error('down')
            const socket = new FaultSocket(new EvictingSocket(await connectTo(world.stub), evictor))
            world.sockets.push(socket)
            return socket
          },
          ...options,
        })
        clients.push(client)
        return client
      },
      async close() {
        await world.stub.openAll()
        for (const client of clients) client.$connection.close()
      },
    }
    return world
  }

const few: Plan = { points: 0, seeds: 1 }

for (const kind of ['rich', 'json'] as const)
  describe(`an object that is evicted, with the client ${kind}:`, () => {
    const scenario = (name: string, play: (world: World) => Promise<void>, plan: Plan & { options?: object } = {}) =>
      playAll(name, worldOf(kind, plan.options ?? {}), play, kind === 'rich' ? plan : few)

    const ways = {
      'before it was sent': { query: ['ok', 1], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'on its way to the object': { query: ['ok', 1], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'while it ran': { query: ['ok', 2], plain: ['ok', 1], idempotent: ['ok', 1], once: ['ok', 1] },
      'after it ran, before its answer,': {
        query: ['ok', 2],
        plain: ['ok', 1],
        idempotent: ['ok', 1],
        once: ['ok', 1],
      },
      'while it ran, by a crash of the object,': {
        query: ['ok', 2],
        plain: ['UNAVAILABLE', 1],
        idempotent: ['ok', 2],
        once: ['UNAVAILABLE', 1],
      },
    } as const
    for (const [way, promises] of Object.entries(ways))
      for (const procedure of ['query', 'plain', 'idempotent', 'once'] as const) {
        const [ended, runs] = promises[procedure]
        scenario(
          `${procedure} that was cut ${way} ends with ${ended}, and ran ${runs} times`,
          async (world) => {
            const { state } = world
            const client = world.client()
            await client.query({ key: 'warm' })
            const [socket] = world.sockets
            const start = (hold = false) => outcome(client[procedure]({ key: 'a', hold }))
            let call: Promise<unknown[]>
            if (way === 'before it was sent') {
              world.down = true
              world.cut()
              call = start()
              await sleep(5)
              await world.evict()
              world.down = false
            } else if (way.startsWith('on its way')) {
              socket!.muteUp = true
              call = start()
              await sleep(5)
              world.cut()
            } else if (way.startsWith('after')) {
              socket!.muteDown = true
              call = start()
              await until(() => state.runs('a')[0]?.ended)
              await world.evict()
              world.cut()
              await world.evict()
            } else {
              call = start(true)
              await until(() => state.runs('a').length)
              if (way.includes('crash')) await world.stub.crash().catch(() => {})
              world.cut()
              await until(() => world.sockets.length > 1 && client.$connection.state === 'open')
              await world.stub.open('a')
            }
            expect([(await call)[0], state.runs('a').length]).toEqual([ended, runs])
          },
          { points: 3, seeds: 1 },
        )
      }

    scenario(
      'events with ids come once and in order through many cuts, and an end that is lost comes once',
      async (world) => {
        const client = world.client()
        const log: unknown[] = []
        client.some({ topic: 't', n: 120 }).subscribe({
          onData: (n) => log.push(n),
          onGap: ({ reason }) => log.push(reason),
          onError: ({ code }) => log.push(code),
          onDone: () => log.push('done'),
        })
        await until(() => world.state.runs('t').length)
        await client.query({ key: 'warm' })
        for (let n = 1; n <= 120; n += 5) {
          await world.stub.publish('t', upTo(n + 4, n))
          if (n % 20 !== 1) continue
          if (n % 40 === 1) await world.evict()
          world.cut()
          // As long as an attempt may take; it need not have succeeded.
          await sleep(n % 60 === 1 ? 15 : 2)
        }
        await until(() => log.at(-1) === 'done')
        expect(log).toEqual([...upTo(120), 'done'])
        expect(world.sockets.length).toBeGreaterThan(3)
      },
    )

    scenario('a subscription without ids is run again, and says so', async (world) => {
      const client = world.client()
      const log: unknown[] = []
      client
        .untracked('t')
        .subscribe({ onData: (n) => log.push(n), onGap: ({ reason }) => log.push(reason), onError() {} })
      await until(() => log.length)
      world.cut()
      await until(() => world.sockets.length > 1 && client.$connection.state === 'open')
      await world.evict()
      await client.query({ key: 'wakes it' })
      await until(() => log.length > 2)
      // Each time that it runs it says how often it has: first that it began anew, then that.
      expect(log.length % 2).toBe(1)
      for (const [i, what] of log.entries())
        if (i % 2) expect(what).toBe('untracked')
        else if (i) expect(what).toBeGreaterThan(log[i - 2] as number)
    })

    scenario('a stalled old socket gives way to the new one, and its call ran once', async (world) => {
      const client = world.client()
      const call = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      world.sockets[0]!.abandon()
      await until(() => world.sockets.length === 2 && client.$connection.state === 'open')
      await world.stub.open('a')
      expect(await call).toEqual(['ok', 'a run 1'])
      expect(world.state.runs('a')).toHaveLength(1)
    })

    scenario('a drain moves everything without a gap', async (world) => {
      const client = world.client()
      const log: unknown[] = []
      client.events('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      await until(() => world.state.runs('t').length)
      await client.query({ key: 'warm' })
      const long = outcome(client.plain({ key: 'a', hold: true }))
      await until(() => world.state.runs('a').length)
      await world.stub.move()
      for (const n of upTo(10)) {
        await world.stub.publish('t', [n])
        expect(await client.plain({ key: 'b' })).toBe(`b run ${n}`)
      }
      await until(() => world.sockets.length === 2)
      await world.stub.open('a')
      expect(await long).toEqual(['ok', 'a run 1'])
      await world.evict()
      await world.stub.publish('t', [11])
      await until(() => log.length === 11)
      expect(log).toEqual(upTo(11))
    })

    scenario(
      'the grace of a mutation ends with its signal; a query is aborted at once',
      async (world) => {
        const client = world.client()
        const ends = (['query', 'plain'] as const).map((path) => outcome(client[path]({ key: path, hold: true })))
        const { runs } = world.state
        await until(() => runs('plain').length)
        world.down = true
        world.cut()
        await until(() => runs('query')[0]!.aborted)
        expect(runs('plain')[0]!.aborted).toBeUndefined()
        await until(() => runs('plain')[0]!.aborted)
        await world.evict()
        world.down = false
        await until(() => runs('query').length === 2)
        await world.stub.open('query')
        expect(await Promise.all(ends)).toEqual([
          ['ok', 'query run 2'],
          ['UNAVAILABLE', 'unknown'],
        ])
      },
      { options: { grace: 80 }, points: 4, seeds: 1 },
    )

    scenario(
      'results that were not heard are there after a sleep without any socket, also large ones',
      async (world) => {
        const client = world.client()
        await client.query({ key: 'warm' })
        world.sockets[0]!.muteDown = true
        const sizes = [0, 10, 4_000, 30_000, 200_000]
        const calls = sizes.map((size) => outcome(client.plain({ key: `${size}`, size })))
        await until(() => sizes.every((size) => world.state.runs(`${size}`)[0]?.ended))
        world.down = true
        world.cut()
        await world.evict()
        await sleep(5)
        await world.evict()
        world.down = false
        expect(await Promise.all(calls)).toEqual(sizes.map((size) => ['ok', `${size} run 1${'x'.repeat(size)}`]))
        for (const size of sizes) expect(world.state.runs(`${size}`)).toHaveLength(1)
      },
    )

    scenario(
      'a mutation that retries once runs once for its key, whoever asks again, and no other input has it',
      async (world) => {
        const client = world.client()
        await client.query({ key: 'warm' })
        world.sockets[0]!.muteDown = true
        const lost = outcome(client.once({ key: 'a' }, { key: 'mine' }))
        await until(() => world.state.runs('a')[0]?.ended)
        client.$connection.close()
        expect(await lost).toEqual(['CANCELLED', 'unknown'])
        await world.evict()
        // As after a page was loaded again.
        const again = world.client()
        expect(await again.once({ key: 'a' }, { key: 'mine' })).toBe('a run 1')
        await world.evict()
        expect((await outcome(again.once({ key: 'b' }, { key: 'mine' })))[0]).not.toBe('ok')
        expect(await again.once({ key: 'a' }, { key: 'other' })).toBe('a run 2')
        expect([world.state.runs('a').length, world.state.runs('b').length]).toEqual([2, 0])
      },
    )

    scenario('who lost a right is told after a sleep, and goes on with the rest', async (world) => {
      let role = 'admin'
      const client = world.client({ params: () => ({ role }) })
      const log: unknown[] = []
      const rest: unknown[] = []
      client.secret('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      client.events('t').subscribe({ onData: (n) => rest.push(n), onError: ({ code }) => rest.push(code) })
      await client.query({ key: 'warm' })
      await world.stub.publish('t', [1])
      await until(() => log.length && rest.length)
      await world.evict()
      role = 'guest'
      await client.$connection.refresh()
      await until(() => log.length > 1)
      await world.evict()
      await world.stub.publish('t', [2])
      await until(() => rest.length > 1)
      expect([log, rest]).toEqual([
        [1, 'PERMISSION_DENIED'],
        [1, 2],
      ])
      expect(await outcome(client.secretTask({ key: 's' }))).toEqual(['PERMISSION_DENIED', 'no'])
      expect(await client.who()).toMatchObject({ user: 'ann', role: 'guest' })
      expect(world.sockets).toHaveLength(1)
    })

    scenario(
      'results that were heard are not kept for long',
      async (world) => {
        const client = world.client()
        for (const n of upTo(80)) expect(await client.plain({ key: 'a' })).toBe(`a run ${n}`)
        expect(await world.stub.results).toBeLessThanOrEqual(64)
      },
      { points: 2, seeds: 1 },
    )
  })
