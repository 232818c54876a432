import { memoryLedger } from '@pairwire/server'
import { describe, expect, it } from 'vitest'
import {
  clientKinds,
  type DeliveryClient,
  errorOf,
  openWorld,
  outcome,
  quiet,
  sleep,
  until,
  type World,
  type WorldOptions,
  watchForStrayErrors,
} from '../test/delivery/world.ts'
import type { Fault } from '../test/faults/proxy.ts'

watchForStrayErrors()

type Kind = 'query' | 'plain' | 'idempotent' | 'once'
const names: Record<Kind, string> = {
  query: 'a query',
  plain: 'a mutation',
  idempotent: "a mutation of retry 'idempotent'",
  once: "a mutation of retry 'once'",
}

/** What becomes of the server's memory before the client is back. */
const memories: Record<string, { options: WorldOptions; pass(world: World): Promise<void> }> = {
  'by a server that remembers': { options: {}, pass: async () => {} },
  'by a server that was started anew': { options: {}, pass: (world) => world.restart() },
  'after its grace': {
    options: { grace: 20 },
    pass: (world) => until(() => world.server.held.sessions === 0),
  },
}

interface Drop {
  faults?: Fault[]
  /** Whether the call goes along with hello, on the first socket. */
  early?: boolean
  hold?: boolean
  /** Makes the call lose its connection; no other is to be had until it returns. */
  lose(world: World, start: () => void, client: DeliveryClient): Promise<void>
  /** Once the client is back. */
  after?(world: World): Promise<void>
}
const isGone = (world: World) => until(() => world.proxy.connections.length === 0)
/** No socket is open any more, and no other is to be had; the clients know. */
const goOffline = async (world: World, client: DeliveryClient) => {
  world.proxy.refuse = true
  world.cut()
  await until(() => client.$connection.state !== 'open')
}
const isBack = (world: World) => until(() => world.proxy.connections[0]?.down.frames)
const hasBegun = (world: World) => until(() => world.state.runs('a').length > 0)

const drops: Record<string, Drop> = {
  'before it was sent': {
    async lose(world, start, client) {
      await goOffline(world, client)
      start()
      await sleep(5)
    },
  },
  'on its way to the server': {
    async lose(world, start) {
      world.proxy.connections[0]!.hold('up')
      start()
      await sleep(5)
      world.cut()
      await isGone(world)
    },
  },
  'before the first socket had said hello': {
    early: true,
    faults: [{ at: 'up', before: 1, action: 'cut' }],
    async lose(world, start) {
      start()
      await until(() => world.proxy.accepted === 1)
      world.proxy.refuse = true
      await isGone(world)
    },
  },
  'while it ran': {
    hold: true,
    async lose(world, start) {
      start()
      await hasBegun(world)
      world.cut()
      await isGone(world)
    },
    async after(world) {
      await isBack(world)
      await sleep(2)
      world.state.open('a')
    },
  },
  'while it ran, and ended with nobody there,': {
    hold: true,
    async lose(world, start) {
      start()
      await hasBegun(world)
      world.cut()
      await isGone(world)
      world.state.open('a')
      await until(() => world.state.runs('a')[0]!.ended)
    },
  },
  'after it ran, before its answer,': {
    async lose(world, start) {
      world.proxy.connections[0]!.hold('down')
      start()
      await until(() => world.state.runs('a')[0]?.ended)
      await sleep(5)
      world.cut()
      await isGone(world)
    },
  },
  'before the first socket was welcomed': {
    early: true,
    faults: [{ at: 'down', before: 1, action: 'cut' }],
    async lose(world, start) {
      start()
      await until(() => world.proxy.accepted === 1)
      world.proxy.refuse = true
      await isGone(world)
    },
  },
}

type Expected = readonly [outcome: unknown[], runs: number]
const first: Expected = [['ok', 'a run 1'], 1]
const again: Expected = [['ok', 'a run 2'], 2]
const unknown = (runs: number): Expected => [['UNAVAILABLE', 'unknown'], runs]

const expected = (drop: string, memory: string, kind: Kind): Expected => {
  const remembers = memory === 'by a server that remembers'
  // A call is sent once its socket was welcomed, and not before.
  if (drop === 'before it was sent' || drop.startsWith('before the first socket')) return first
  if (drop === 'on its way to the server') {
    // A server that has lost its memory cannot know that nothing arrived before.
    return remembers || kind === 'query' || kind === 'idempotent' ? first : unknown(0)
  }
  if (kind === 'query') return again
  if (remembers) return first
  if (kind === 'plain') return unknown(1)
  // The ledger is the server's, whatever became of the session.
  if (kind === 'once') return memory === 'after its grace' ? first : unknown(1)
  return again
}

const inWords = ([[ended], runs]: Expected) => {
  const times = ['did not run', 'ran once', 'ran twice'][runs]
  return ended === 'ok' ? `gives its result, and ${times}` : `says that it is not known whether it ran: it ${times}`
}

const make = async (memory: string, drop: Drop) => {
  const world = await openWorld(memories[memory]!.options)
  world.proxy.plan(({ index }) => (index ? undefined : drop.faults))
  return world
}

for (const clientKind of clientKinds)
  describe(`with the client ${clientKind}`, () => {
    for (const [dropName, drop] of Object.entries(drops))
      for (const [memory, { pass }] of Object.entries(memories))
        for (const kind of Object.keys(names) as Kind[]) {
          const promise = expected(dropName, memory, kind)
          it(`${names[kind]} that was cut ${dropName} and taken up ${memory}: ${inWords(promise)}`, async () => {
            const world = await make(memory, drop)
            const client = world.client(clientKind)
            if (!drop.early) {
              expect(await client.query({ key: 'warm' })).toBe('warm run 1')
              world.proxy.refuse = true
            }
            let ended: Promise<unknown[]> | undefined
            await drop.lose(
              world,
              () => {
                ended = outcome(client[kind]({ key: 'a', hold: drop.hold ?? false }))
              },
              client,
            )
            await pass(world)
            world.proxy.refuse = false
            await drop.after?.(world)
            expect(await ended).toEqual(promise[0])
            expect(world.state.runs('a')).toHaveLength(promise[1])
            // The connection goes on, and nothing runs belatedly.
            expect(await client.plain({ key: 'next' })).toBe('next run 1')
            expect(world.state.runs('a')).toHaveLength(promise[1])
          })
        }
  })

describe('a durable ledger', () => {
  /** As a database would: it outlives servers. */
  const durable = () => ({ ...memoryLedger(), durable: true })
  const setUp = async (dropName: string) => {
    const ledger = durable()
    const world = await openWorld({ ledger })
    world.proxy.plan(({ index }) => (index ? undefined : drops[dropName]!.faults))
    const client = world.client()
    await client.query({ key: 'warm' })
    world.proxy.refuse = true
    let ended: Promise<unknown[]> | undefined
    await drops[dropName]!.lose(
      world,
      () => {
        ended = outcome(client.once({ key: 'a', hold: drops[dropName]!.hold ?? false }))
      },
      client,
    )
    await world.restart()
    return { world, ended: await ended, runs: world.state.runs('a').length }
  }

  it("runs a mutation of retry 'once' that never arrived, though the server was started anew", async () => {
    expect(await setUp('on its way to the server')).toMatchObject({ ended: ['ok', 'a run 1'], runs: 1 })
  })
  it("replays a mutation of retry 'once' that ran, though the server was started anew", async () => {
    expect(await setUp('after it ran, before its answer,')).toMatchObject({ ended: ['ok', 'a run 1'], runs: 1 })
  })
  it("does not run again a mutation of retry 'once' whose server ended while it ran", async () => {
    expect(await setUp('while it ran')).toMatchObject({ ended: ['UNAVAILABLE', 'unknown'], runs: 1 })
  })
})

describe('an input stream', () => {
  type Upload = 'upload' | 'uploadIdempotent' | 'uploadOnce'
  const uploads: Upload[] = ['upload', 'uploadIdempotent', 'uploadOnce']
  const items = async function* (ready?: Promise<void>) {
    yield 'one'
    if (ready) await ready
    yield 'two'
  }
  const never = new Promise<void>(() => {})

  for (const clientKind of ['ws', 'node'] as const)
    for (const kind of uploads) {
      const start = (world: World, options: { hold?: boolean; open?: boolean } = {}) => {
        const client = world.client(clientKind)
        return {
          client,
          call: () =>
            outcome(
              client[kind]({ key: 'a', hold: !!options.hold }, { stream: items(options.open ? never : undefined) }),
            ),
        }
      }
      const title = `${kind} with the client ${clientKind}`

      it(`${title} that was made while there was no connection is sent whole, and ran once`, async () => {
        const world = await openWorld()
        const { client, call } = start(world)
        await client.query({ key: 'warm' })
        await goOffline(world, client)
        const ended = call()
        await sleep(10)
        world.proxy.refuse = false
        expect(await ended).toEqual(['ok', 'one two a run 1'])
        expect(world.state.runs('a')).toHaveLength(1)
      })

      it(`${title} that was cut on its way to the server did not run, and says so`, async () => {
        const world = await openWorld()
        const { client, call } = start(world)
        await client.query({ key: 'warm' })
        world.proxy.connections[0]!.hold('up')
        const ended = call()
        await sleep(5)
        world.cut()
        expect(await ended).toEqual(['UNAVAILABLE', 'no'])
        expect(world.state.runs('a')).toHaveLength(0)
      })

      it(`${title} that was cut in the middle of its stream fails in its handler too, and is not run again`, async () => {
        const world = await openWorld()
        const { call } = start(world, { open: true })
        const ended = call()
        await hasBegun(world)
        await quiet()
        world.cut()
        expect(await ended).toEqual(['UNAVAILABLE', 'unknown'])
        expect(world.state.runs('a')).toMatchObject([{ ended: true }])
      })

      it(`${title} that was cut while it ran, with its stream read, gives its real result, and ran once`, async () => {
        const world = await openWorld()
        const { call } = start(world, { hold: true })
        const ended = call()
        await hasBegun(world)
        await quiet()
        world.cut()
        await until(() => world.proxy.accepted === 2)
        await isBack(world)
        world.state.open('a')
        expect(await ended).toEqual(['ok', 'one two a run 1'])
        expect(world.state.runs('a')).toHaveLength(1)
      })

      it(`${title} that was cut after it ran, before its answer, gives its real result, and ran once`, async () => {
        const world = await openWorld()
        const { client, call } = start(world)
        await client.query({ key: 'warm' })
        world.proxy.connections[0]!.hold('down')
        const ended = call()
        await until(() => world.state.runs('a')[0]?.ended)
        world.cut()
        expect(await ended).toEqual(['ok', 'one two a run 1'])
        expect(world.state.runs('a')).toHaveLength(1)
      })

      it(`${title} that was cut while it ran, by a server that was started anew: nobody knows, and it ran once`, async () => {
        const world = await openWorld()
        const { call } = start(world, { hold: true })
        const ended = call()
        await hasBegun(world)
        await quiet()
        await world.restart()
        expect(await ended).toEqual(['UNAVAILABLE', 'unknown'])
        expect(world.state.runs('a')).toHaveLength(1)
      })
    }
})

describe('what a call ends with', () => {
  it('is the real error, data and all, of a mutation that was cut before its answer', async () => {
    for (const kind of ['plain', 'idempotent', 'once'] as const) {
      const world = await openWorld()
      const client = world.client()
      await client.query({ key: 'warm' })
      world.proxy.connections[0]!.hold('down')
      const call = errorOf(client[kind]({ key: 'a', fails: true }))
      await until(() => world.state.runs('a')[0]?.ended)
      await sleep(5)
      world.cut()
      expect(await call).toMatchObject({ code: 'BROKEN', data: { run: 1 }, executed: 'yes' })
      expect(world.state.runs('a')).toHaveLength(1)
    }
  })

  it('is the same after five cuts while it ran, each on another socket', async () => {
    const world = await openWorld()
    const client = world.client()
    const calls = (['plain', 'idempotent', 'once', 'query'] as const).map((kind) =>
      outcome(client[kind]({ key: kind, hold: true })),
    )
    for (let sockets = 1; sockets <= 5; sockets++) {
      await until(() => client.$connection.state === 'open' && world.state.runs('query').length === sockets)
      world.cut()
      await until(() => world.proxy.accepted === sockets + 1)
    }
    await until(() => world.state.runs('query').length === 6)
    world.state.openAll()
    expect(await Promise.all(calls)).toEqual([
      ['ok', 'plain run 1'],
      ['ok', 'idempotent run 1'],
      ['ok', 'once run 1'],
      ['ok', 'query run 6'],
    ])
    expect(world.state.runs('query').map(({ aborted }) => aborted)).toEqual([
      ...Array(5).fill('UNAVAILABLE'),
      undefined,
    ])
  })

  it('comes once for each of 200 calls that were cut together', async () => {
    const world = await openWorld()
    const client = world.client()
    const calls = Array.from({ length: 200 }, (_, n) => {
      const kind = (['plain', 'idempotent', 'once', 'query'] as const)[n % 4]!
      return outcome(client[kind]({ key: `${n}`, hold: true }))
    })
    await until(() => world.server.held.calls === 200)
    world.cut()
    await until(() => world.proxy.accepted === 2)
    world.state.openAll()
    const ends = await Promise.all(calls)
    expect(ends.filter(([ended]) => ended !== 'ok')).toEqual([])
    for (let n = 0; n < 200; n++) if (n % 4 !== 3) expect(world.state.runs(`${n}`)).toHaveLength(1)
    expect(client.$connection.pending).toBe(0)
  })

  it('is a deadline that says why, where no connection came in time: not run, if it was never sent', async () => {
    const world = await openWorld()
    const client = world.client()
    await client.query({ key: 'warm' })
    await goOffline(world, client)
    const error = await errorOf(client.plain({ key: 'a' }, { timeout: 60 }))
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', executed: 'no' })
    expect(error.message).toContain('could not connect (1006')
    world.proxy.refuse = false
    await client.query({ key: 'later' })
    await quiet()
    expect(world.state.runs('a')).toHaveLength(0)
  })

  it('is a deadline of one that was sent, and may have run', async () => {
    const world = await openWorld()
    const client = world.client()
    for (const kind of ['query', 'plain', 'idempotent', 'once'] as const) {
      world.proxy.refuse = false
      const call = outcome(client[kind]({ key: kind, hold: true }, { timeout: 120 }))
      await until(() => world.state.runs(kind).length)
      world.proxy.refuse = true
      world.cut()
      expect(await call).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    }
  })

  it('is what comes within its deadline, which the second run knows to be shorter', async () => {
    const world = await openWorld()
    const client = world.client()
    const call = outcome(client.query({ key: 'a', hold: true }, { timeout: 150 }))
    await until(() => world.state.runs('a').length)
    world.proxy.refuse = true
    world.cut()
    await sleep(60)
    world.proxy.refuse = false
    await until(() => world.state.runs('a').length === 2)
    expect(await call).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    // The handler was told in time, by a clock of its own.
    await until(() => world.state.runs('a')[1]!.aborted)
    expect(['DEADLINE_EXCEEDED', 'CANCELLED']).toContain(world.state.runs('a')[1]!.aborted)
  })

  it('is CANCELLED, and no run, for a call that was aborted while it waited for a connection', async () => {
    const world = await openWorld()
    const client = world.client()
    await client.query({ key: 'warm' })
    await goOffline(world, client)
    const controller = new AbortController()
    const call = outcome(client.plain({ key: 'a' }, { signal: controller.signal }))
    controller.abort()
    expect(await call).toEqual(['CANCELLED', 'no'])
    world.proxy.refuse = false
    await client.query({ key: 'later' })
    expect(world.state.runs('a')).toHaveLength(0)
  })

  it('is the order of before: calls that wait for a connection run in the order they were made', async () => {
    const world = await openWorld()
    const client = world.client()
    await client.query({ key: 'warm' })
    await goOffline(world, client)
    const calls = Array.from({ length: 50 }, () => client.plain({ key: 'a' }))
    world.proxy.refuse = false
    expect(await Promise.all(calls)).toEqual(calls.map((_, n) => `a run ${n + 1}`))
  })
})
