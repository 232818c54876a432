import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket as Ws } from 'ws'
import { openRaw, type Raw } from '../../server/test/suites/place.ts'
import {
  clientKinds,
  errorOf,
  observe,
  openWorld,
  outcome,
  type Params,
  quiet,
  sleep,
  statesOf,
  until,
  type World,
  watchForStrayErrors,
} from '../test/delivery/world.ts'

watchForStrayErrors()

/** A socket that speaks frames as it likes, through the proxy. */
const raw = async (world: World, session: unknown, options: object = {}): Promise<Raw> => {
  const end = await openRaw({ connect: () => new Ws(world.proxy.url, ['pairwire.1']) as never }, 'main', {
    hello: false,
  })
  onTestFinished(() => (end.socket as unknown as Ws).terminate())
  if (session !== undefined) end.send([0, 1, session, options])
  return end
}
const welcomeOf = async (end: Raw) => {
  const [, welcome] = (await end.until(([op]) => op === 1)) as unknown as [number, { epoch: string; session: string }]
  return welcome
}
const answerOf = async (end: Raw, id: number, ms?: number) => {
  const message = await end.until(([op, of]) => of === id && (op === 7 || op === 8), ms)
  return message?.slice(2, 3)[0] as unknown
}
/** Whether two sockets were given the same memory. */
const isSame = (one: { epoch: string }, other: { epoch: string }) => one.epoch === other.epoch
const plain = (id: number, key: string, options: object = {}, task: object = {}) => [
  2,
  id,
  'plain',
  { key, ...task },
  options,
]
const asUser = (user: string) => ({ params: { user } })

describe('a session id', () => {
  it('of somebody else finds nothing, reveals nothing, and disturbs nobody', async () => {
    const world = await openWorld()
    const victim = await raw(world, 'the id', asUser('victim'))
    const welcome = await welcomeOf(victim)
    victim.send(plain(1, 'done'))
    expect(await answerOf(victim, 1)).toBe('done run 1')
    victim.send(plain(3, 'held', {}, { hold: true }))
    victim.send([2, 5, 'events', 't', {}])
    await until(() => world.state.runs('held').length && world.state.runs('t').length)

    const thief = await raw(world, 'the id', asUser('thief'))
    const own = await welcomeOf(thief)
    expect(isSame(own, welcome)).toBe(false)
    // The same ids, as if they had been sent before: with the victim's epoch, with none, and with the thief's own.
    for (const epoch of [welcome.epoch, '', own.epoch])
      thief.send([plain(1, 'done', { attempt: 2, epoch }), plain(3, 'held', { attempt: 2, epoch })])
    await quiet()
    // Never the victim's results: its own runs, or that it is not known.
    for (const [op, id, value] of thief.messages)
      if (id === 1 || id === 3)
        expect(op === 7 ? value : (value as never as { code: string }).code).not.toMatch(/run 1$/)
    thief.send([3, 3])
    thief.send([6, 5, 1_000_000])
    thief.send([2, 7, 'who'])
    expect(await answerOf(thief, 7)).toMatchObject({ user: 'thief' })

    expect(victim.closed).toBeUndefined()
    world.state.topic('t').publish(7)
    expect((await victim.until(([op, id]) => op === 9 && id === 5))?.slice(0, 3)).toEqual([9, 5, 7])
    world.state.open('held')
    expect(await answerOf(victim, 3)).toBe('held run 1')
    expect(victim.closed).toBeUndefined()
    expect(world.state.runs('held')[0]).toMatchObject({ ended: true, aborted: undefined })
  })

  it("of somebody else who is away keeps the victim's results for the victim", async () => {
    const world = await openWorld()
    const victim = world.client('ws', { params: { user: 'victim' } })
    await victim.query({ key: 'warm' })
    const call = outcome(victim.plain({ key: 'a', hold: true }))
    await until(() => world.state.runs('a').length)
    const [connection] = world.proxy.connections
    connection!.hold('down')
    world.state.open('a')
    await until(() => world.state.runs('a')[0]!.ended)
    world.proxy.refuse = true
    world.cut()
    await until(() => victim.$connection.state === 'waiting')
    world.proxy.refuse = false
    // Somebody tries ids, right after.
    const thief = await raw(world, '1,2,3,4', asUser('thief'))
    await welcomeOf(thief)
    expect(await call).toEqual(['ok', 'a run 1'])
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('of the same user in another codec is another session', async () => {
    const world = await openWorld()
    const rich = await raw(world, 'id', {})
    const json = await raw(world, 'id', { codec: 'json' })
    expect(isSame(await welcomeOf(rich), await welcomeOf(json))).toBe(false)
    await quiet()
    expect(rich.closed).toBeUndefined()
  })

  it('of the same user finds the session, whose older socket is closed with 4008', async () => {
    const world = await openWorld()
    const first = await raw(world, 'id', asUser('ann'))
    const before = await welcomeOf(first)
    first.send(plain(1, 'a', {}, { hold: true }))
    await until(() => world.state.runs('a').length)
    const second = await raw(world, 'id', asUser('ann'))
    expect(isSame(await welcomeOf(second), before)).toBe(true)
    expect(await first.end()).toMatchObject({ code: 4008 })
    second.send(plain(1, 'a', { attempt: 2, epoch: before.epoch }, { hold: true }))
    world.state.open('a')
    expect(await answerOf(second, 1)).toBe('a run 1')
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('that is empty, too long or no text is none: nothing outlives its socket', async () => {
    const world = await openWorld()
    for (const id of ['', 'x'.repeat(129), 7, null, { toString: 'id' }]) {
      const first = await raw(world, id)
      const before = await welcomeOf(first)
      const key = JSON.stringify(id)
      first.send(plain(1, key, {}, { hold: true }))
      await until(() => world.state.runs(key).length)
      const second = await raw(world, id)
      expect(isSame(await welcomeOf(second), before)).toBe(false)
      expect(first.closed).toBeUndefined()
      ;(first.socket as unknown as Ws).terminate()
      await until(() => world.state.runs(key)[0]!.aborted)
      ;(second.socket as unknown as Ws).terminate()
    }
    await until(() => world.server.held.sessions === 0)
  })

  it('that everybody on a server without authenticate may say is as safe as it is random: the client makes 128 bits', async () => {
    const world = await openWorld()
    const ids = new Set<string>()
    for (let n = 0; n < 20; n++) {
      const sent: string[] = []
      class Spy extends Ws {
        override send(data: never) {
          sent.push(String(data))
          super.send(data)
        }
      }
      const client = world.client('ws', { WebSocket: Spy as never })
      await client.query({ key: 'a' })
      const [, id] = sent[0]!.match(/^\[+0,1,"([^"]+)"/)!
      ids.add(id!)
      expect(id!.match(/\d+/g)!.length).toBeGreaterThanOrEqual(4)
      client.$connection.close()
    }
    expect(ids.size).toBe(20)
  })
})

describe('an epoch', () => {
  it('of before makes a mutation that was sent to it unknown, and no second run', async () => {
    const world = await openWorld()
    const end = await raw(world, 'id')
    const { epoch } = await welcomeOf(end)
    for (const [n, said] of [`${epoch}x`, '', 'x', 5, null].entries()) {
      const id = 11 + 2 * n
      end.send(plain(id, 'a', { attempt: 2, epoch: said }))
      expect(await answerOf(end, id)).toMatchObject({ code: 'UNAVAILABLE', executed: 'unknown' })
    }
    expect(world.state.runs('a')).toHaveLength(0)
    // Of this one it is known that it never came.
    end.send(plain(31, 'a', { attempt: 2, epoch }))
    expect(await answerOf(end, 31)).toBe('a run 1')
  })

  it('is another one after the session ended, and the same while it is kept', async () => {
    const world = await openWorld({ grace: 10_000 })
    const first = await raw(world, 'id')
    const { epoch } = await welcomeOf(first)
    ;(first.socket as unknown as Ws).terminate()
    await until(() => world.server.held.sockets === 0)
    const second = await raw(world, 'id')
    expect((await welcomeOf(second)).epoch).toBe(epoch)
    ;(second.socket as unknown as Ws).close(1000)
    await until(() => world.server.held.sessions === 0)
    const third = await raw(world, 'id')
    expect((await welcomeOf(third)).epoch).not.toBe(epoch)
  })
})

describe('a stalled old socket', () => {
  for (const clientKind of clientKinds)
    it(`that is still alive gives way to the new one, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      await client.query({ key: 'warm' })
      const calls = (['plain', 'once', 'query'] as const).map((kind) =>
        outcome(client[kind]({ key: kind, hold: true })),
      )
      const heard = observe<number>(client.events('t'))
      await until(() => world.state.runs('query').length && world.state.runs('t').length)
      await client.query({ key: 'warm' })
      // The client's end is gone; the server's hears nothing of it.
      const [old] = world.proxy.connections
      world.proxy.plan(({ index }) => (index === 1 ? [{ at: 'up', byte: 0, action: 'abandon' }] : undefined))
      old!.hold()
      client.$connection.reconnect()
      await until(() => world.proxy.accepted === 3 && client.$connection.state === 'open')
      await until(() => world.state.runs('query').length === 2)
      world.state.openAll()
      expect(await Promise.all(calls)).toEqual([
        ['ok', 'plain run 1'],
        ['ok', 'once run 1'],
        ['ok', 'query run 2'],
      ])
      await client.query({ key: 'warm' })
      for (const n of [1, 2, 3]) world.state.topic('t').publish(n)
      await until(() => heard.events.length === 3)
      await quiet()
      expect(heard.log).toEqual([1, 2, 3])
      old!.cut()
      for (const connection of world.proxy.connections.slice(0, -1)) connection.cut()
    })

  it('whose frames arrive late, behind the resume, has no effect any more', async () => {
    const world = await openWorld()
    const client = world.client()
    await client.query({ key: 'warm' })
    const [old] = world.proxy.connections
    old!.hold('up')
    const calls = (['plain', 'idempotent', 'once', 'query'] as const).map((kind) =>
      outcome(client[kind]({ key: kind })),
    )
    await sleep(5)
    client.$connection.reconnect()
    expect(await Promise.all(calls)).toEqual(
      ['plain', 'idempotent', 'once', 'query'].map((kind) => ['ok', `${kind} run 1`]),
    )
    old!.release('up')
    await quiet()
    for (const kind of ['plain', 'idempotent', 'once', 'query']) expect(world.state.runs(kind)).toHaveLength(1)
    expect(client.$connection.state).toBe('open')
    expect(await client.query({ key: 'later' })).toBe('later run 1')
  })

  it('whose frames arrive late, before the resume, is answered on the new one, and ran once', async () => {
    const world = await openWorld()
    // The second socket says hello late.
    world.proxy.plan(({ index }) => (index === 1 ? [{ at: 'up', byte: 0, action: 'hold', ms: 60 }] : undefined))
    const client = world.client()
    await client.query({ key: 'warm' })
    const [old] = world.proxy.connections
    old!.hold('up')
    const calls = (['plain', 'idempotent', 'once'] as const).map((kind) => outcome(client[kind]({ key: kind })))
    await sleep(5)
    client.$connection.reconnect()
    old!.release('up')
    await until(() => world.state.runs('once').length)
    expect(await Promise.all(calls)).toEqual(['plain', 'idempotent', 'once'].map((kind) => ['ok', `${kind} run 1`]))
    for (const kind of ['plain', 'idempotent', 'once']) expect(world.state.runs(kind)).toHaveLength(1)
  })

  it('that authenticates later than a newer one does not take the session back', async () => {
    const world = await openWorld()
    const slow = await raw(world, 'id', { params: { user: 'ann', wait: 80 } })
    await until(() => world.asked === 1)
    const fast = await raw(world, 'id', { params: { user: 'ann' } })
    await welcomeOf(fast)
    fast.send(plain(1, 'a', {}, { hold: true }))
    expect(await slow.end()).toMatchObject({ code: 4008 })
    expect(fast.closed).toBeUndefined()
    world.state.open('a')
    expect(await answerOf(fast, 1)).toBe('a run 1')
  })

  it('that authenticates after the newer one came and was lost does not run again what ran there', async () => {
    const world = await openWorld()
    const slow = await raw(world, 'id', { params: { user: 'ann', wait: 100 } })
    slow.send(plain(1, 'a'))
    await until(() => world.asked === 1)
    const fast = await raw(world, 'id', { params: { user: 'ann' } })
    await welcomeOf(fast)
    fast.send(plain(1, 'a'))
    expect(await answerOf(fast, 1)).toBe('a run 1')
    ;(fast.socket as unknown as Ws).terminate()
    await slow.end(300)
    await quiet()
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('of which the network sends everything twice runs every mutation once', async () => {
    const world = await openWorld()
    // Another connection says the same hello and the same calls as the first did.
    world.proxy.plan(({ index }) => (index ? undefined : [{ at: 'up', after: 3, action: 'duplicate-connect' }]))
    const client = world.client()
    await client.query({ key: 'warm' })
    const ends = (['plain', 'once'] as const).map((kind) => outcome(client[kind]({ key: kind, hold: true })))
    // To the server that is a second socket of the session, which supersedes the first: the client does not fight for it.
    expect(await Promise.all(ends)).toEqual(Array(2).fill(['UNAVAILABLE', 'unknown']))
    expect(client.$connection.state).toBe('closed')
    await quiet()
    world.state.openAll()
    await quiet()
    for (const kind of ['plain', 'once']) expect(world.state.runs(kind)).toHaveLength(1)
    world.cut()
  })
})

describe('two clients with one session id', () => {
  it('do not fight for it: the one that was superseded stops, and says so', async () => {
    const world = await openWorld()
    const sent: string[] = []
    class Spy extends Ws {
      override send(data: never) {
        sent.push(String(data))
        super.send(data)
      }
    }
    const client = world.client('ws', { WebSocket: Spy as never })
    await client.query({ key: 'a' })
    const states = statesOf(client)
    const [, id] = sent[0]!.match(/^\[+0,1,"([^"]+)"/)!
    const twin = await raw(world, id)
    await welcomeOf(twin)
    await until(() => client.$connection.state === 'closed')
    expect(states.details.at(-1)).toMatchObject({ code: 4008 })
    await quiet()
    expect(twin.closed).toBeUndefined()
  })
})

describe('resuming', () => {
  it('authenticates each time, and handlers see the context of the latest socket', async () => {
    const world = await openWorld()
    let n = 0
    const client = world.client('ws', { params: (): Params => ({ user: 'ann', role: `role ${++n}` }) })
    expect(await client.who()).toEqual({ user: 'ann', role: 'role 1', turn: 1 })
    for (let turn = 2; turn <= 4; turn++) {
      world.cut()
      await until(() => world.asked === turn && client.$connection.state === 'open')
      expect(await client.who()).toEqual({ user: 'ann', role: `role ${turn}`, turn })
    }
  })

  it('as somebody else gets a session of its own, and nothing of the one before', async () => {
    const world = await openWorld()
    let user = 'ann'
    const client = world.client('ws', { params: (): Params => ({ user }) })
    const heard = statesOf(client)
    const calls = (['plain', 'idempotent', 'once', 'query'] as const).map((kind) =>
      outcome(client[kind]({ key: kind, hold: true })),
    )
    await until(() => world.state.runs('query').length)
    user = 'bob'
    world.cut()
    await until(() => client.$connection.state === 'open' && world.asked === 2)
    expect(heard.details.at(-1)).toEqual({ resumed: false })
    await until(() => world.state.runs('query').length === 2)
    world.state.openAll()
    expect(await Promise.all(calls)).toEqual([
      ['UNAVAILABLE', 'unknown'],
      ['ok', 'idempotent run 2'],
      ['UNAVAILABLE', 'unknown'],
      ['ok', 'query run 2'],
    ])
    expect(world.state.runs('once')).toHaveLength(1)
    expect(await client.who()).toMatchObject({ user: 'bob' })
  })

  it('with a fresh token is the same user, where `owner` leaves out what the token changes', async () => {
    for (const [owner, resumed] of [
      [({ user }: { user: string }) => user, true],
      [(identity: unknown) => identity, false],
    ] as const) {
      const world = await openWorld({ owner: owner as never })
      let n = 0
      const client = world.client('ws', { params: (): Params => ({ user: 'ann', role: `${n++}` }) })
      const heard = statesOf(client)
      await client.query({ key: 'a' })
      world.cut()
      await until(() => world.asked === 2 && client.$connection.state === 'open')
      expect(heard.details.at(-1)).toEqual({ resumed })
    }
  })
})

describe('the grace of a session', () => {
  for (const clientKind of clientKinds)
    it(`lets mutations run on, but neither queries nor subscriptions, with the client ${clientKind}`, async () => {
      const world = await openWorld({ grace: 150 })
      const client = world.client(clientKind)
      const ends = (['query', 'plain', 'idempotent', 'once'] as const).map((kind) =>
        outcome(client[kind]({ key: kind, hold: true })),
      )
      observe(client.events('t'))
      await until(() => world.state.runs('once').length && world.state.runs('t').length)
      const run = (key: string) => world.state.runs(key)[0]!
      const start = performance.now()
      world.proxy.refuse = true
      world.cut()
      await until(() => run('query').aborted && run('t').ended)
      // At once, as far as two busy cores go.
      expect(performance.now() - start).toBeLessThan(120)
      expect(run('query')).toMatchObject({ aborted: 'UNAVAILABLE', ended: true })
      expect(['plain', 'idempotent', 'once'].filter((key) => run(key).aborted)).toEqual([])
      await until(() => run('plain').aborted)
      expect(performance.now() - start).toBeGreaterThan(140)
      expect(run('plain')).toMatchObject({ aborted: 'UNAVAILABLE', ended: true })
      expect(run('idempotent').aborted).toBe('UNAVAILABLE')
      // Another call may have joined it.
      expect(run('once').aborted).toBeUndefined()
      client.$connection.close()
      expect((await Promise.all(ends)).map(([code]) => code)).toEqual(Array(4).fill('CANCELLED'))
      world.state.openAll()
      await until(() => world.server.held.calls === 0)
    })

  it('of 0 keeps nothing: a mutation is aborted with its socket, and nobody knows what became of it', async () => {
    const world = await openWorld({ grace: 0 })
    const client = world.client()
    const call = outcome(client.plain({ key: 'a', hold: true }))
    await until(() => world.state.runs('a').length)
    world.cut()
    await until(() => world.state.runs('a')[0]!.aborted)
    expect(await call).toEqual(['UNAVAILABLE', 'unknown'])
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('is not counted on while a socket is there: a long mutation outlives many of them', async () => {
    const world = await openWorld({ grace: 120 })
    const client = world.client()
    const call = outcome(client.plain({ key: 'a', hold: true }))
    const heard = observe<number>(client.events('t'))
    await until(() => world.state.runs('a').length && world.state.runs('t').length)
    await client.query({ key: 'warm' })
    for (let n = 1; n <= 4; n++) {
      world.cut()
      await until(() => world.proxy.accepted === n + 1 && client.$connection.state === 'open')
      await sleep(80)
    }
    // Longer than the grace after the last resume, and after one that took over from a live socket.
    client.$connection.reconnect()
    await until(() => world.proxy.accepted === 6 && client.$connection.state === 'open')
    await sleep(250)
    expect(world.state.runs('a')[0]!.aborted).toBeUndefined()
    world.state.topic('t').publish(1)
    await until(() => heard.events.length === 1)
    world.state.open('a')
    expect(await call).toEqual(['ok', 'a run 1'])
  })

  it('is over at once for a client that closes: nobody will come back', async () => {
    const world = await openWorld({ grace: 10_000 })
    for (const clientKind of clientKinds) {
      const client = world.client(clientKind)
      const call = outcome(client.plain({ key: clientKind, hold: true }))
      await until(() => world.state.runs(clientKind).length)
      client.$connection.close()
      expect(await call).toEqual(['CANCELLED', 'unknown'])
      await until(() => world.state.runs(clientKind)[0]!.aborted)
      await until(() => world.server.held.sessions === 0)
    }
  })
})

describe('refresh()', () => {
  for (const clientKind of clientKinds) {
    const setUp = async () => {
      const world = await openWorld()
      let params: Params = { user: 'ann', role: 'admin' }
      const client = world.client(clientKind, { params: () => params })
      return {
        world,
        client,
        become(next: Params) {
          params = next
        },
      }
    }

    it(`ends what lost its right with the middleware's error, and the rest goes on, with the client ${clientKind}`, async () => {
      const { world, client, become } = await setUp()
      const secret = observe<number>(client.secret('s'))
      const open = observe<number>(client.events('t'))
      const secretCall = errorOf(client.secretTask({ key: 'q', hold: true }))
      const secretMutation = outcome(client.secretMutation({ key: 'm', hold: true }))
      const query = outcome(client.query({ key: 'r', hold: true }))
      await until(() => world.state.runs('r').length && world.state.runs('s').length && world.state.runs('t').length)
      become({ user: 'ann', role: 'guest' })
      await client.$connection.refresh()
      await until(() => secret.log.length)
      expect(secret.log).toEqual(['error PERMISSION_DENIED'])
      expect(await secretCall).toMatchObject({ code: 'PERMISSION_DENIED', message: 'for admins only' })
      await until(() => world.state.runs('s')[0]!.ended && world.state.runs('q')[0]!.ended)
      world.state.topic('s').publish(1)
      world.state.topic('t').publish(1)
      await until(() => open.events.length === 1)
      world.state.openAll()
      // It had the right when it began, and has its effect.
      expect(await secretMutation).toEqual(['ok', 'm run 1'])
      expect(await query).toEqual(['ok', 'r run 1'])
      expect(secret.log).toHaveLength(1)
      expect(await client.who()).toMatchObject({ role: 'guest', turn: 2 })
      expect(await outcome(client.secretTask({ key: 'x' }))).toEqual(['PERMISSION_DENIED', expect.anything()])
      expect(world.proxy.accepted).toBe(1)
    })

    it(`as somebody else is refused, and changes nothing, with the client ${clientKind}`, async () => {
      const { world, client, become } = await setUp()
      const secret = observe<number>(client.secret('s'))
      await until(() => world.state.runs('s').length)
      become({ user: 'bob', role: 'guest' })
      expect(await outcome(client.$connection.refresh())).toEqual(['PERMISSION_DENIED', expect.anything()])
      world.state.topic('s').publish(1)
      await until(() => secret.events.length === 1)
      expect(await client.who()).toMatchObject({ user: 'ann', role: 'admin' })
    })

    it(`whose authenticate fails changes nothing, with the client ${clientKind}`, async () => {
      const { world, client, become } = await setUp()
      const secret = observe<number>(client.secret('s'))
      await until(() => world.state.runs('s').length)
      for (const refuse of ['UNAUTHENTICATED', 'PERMISSION_DENIED']) {
        become({ refuse })
        expect((await outcome(client.$connection.refresh()))[0]).toBe(refuse)
      }
      world.state.topic('s').publish(1)
      await until(() => secret.events.length === 1)
      expect(await client.who()).toMatchObject({ user: 'ann', role: 'admin' })
      expect(client.$connection.state).toBe('open')
      become({ user: 'ann', role: 'admin' })
      await client.$connection.refresh()
    })

    it(`that is cut on the way is made again on the next socket, with the client ${clientKind}`, async () => {
      const { world, client, become } = await setUp()
      const secret = observe<number>(client.secret('s'))
      await until(() => world.state.runs('s').length)
      await client.query({ key: 'warm' })
      become({ user: 'ann', role: 'guest', wait: 40 })
      const refreshed = outcome(client.$connection.refresh())
      await until(() => world.asked === 2)
      world.cut()
      expect(await refreshed).toEqual(['ok', undefined])
      expect(await client.who()).toMatchObject({ role: 'guest' })
      await until(() => secret.log.length)
      expect(secret.log).toEqual(['error PERMISSION_DENIED'])
    })
  }

  it('lets a subscription that was judged anew resume as the one who it is now', async () => {
    const world = await openWorld()
    let role = 'guest'
    const client = world.client('ws', { params: () => ({ user: 'ann', role }) })
    expect((await errorOf(client.secretTask({ key: 'a' }))).code).toBe('PERMISSION_DENIED')
    role = 'admin'
    await client.$connection.refresh()
    const secret = observe<number>(client.secret('s'))
    await until(() => world.state.runs('s').length)
    await client.query({ key: 'warm' })
    world.cut()
    world.state.topic('s').publish(1)
    await until(() => secret.events.length === 1)
    role = 'guest'
    world.cut()
    await until(() => secret.log.length === 2)
    expect(secret.log).toEqual([1, 'error PERMISSION_DENIED'])
  })
})

describe('a key of a mutation with retry once', () => {
  it('joins the call that runs, from the same client and from another of the same user', async () => {
    const world = await openWorld()
    const one = world.client('ws')
    const other = world.client('node')
    const third = world.client('json')
    const calls = [
      one.once({ key: 'a', hold: true }, { key: 'K' }),
      one.once({ key: 'a', hold: true }, { key: 'K' }),
      other.once({ key: 'a', hold: true }, { key: 'K' }),
      third.once({ key: 'a', hold: true }, { key: 'K' }),
    ]
    await until(() => world.server.held.calls === 4)
    world.state.open('a')
    expect(await Promise.all(calls)).toEqual(Array(4).fill('a run 1'))
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('goes on for who joined, when the one who began goes away', async () => {
    const world = await openWorld({ grace: 20 })
    const one = world.client()
    const other = world.client()
    const first = outcome(one.once({ key: 'a', hold: true }, { key: 'K' }))
    await until(() => world.state.runs('a').length)
    const second = outcome(other.once({ key: 'a', hold: true }, { key: 'K' }))
    await until(() => world.server.held.calls === 2)
    one.$connection.close()
    expect((await first)[0]).toBe('CANCELLED')
    await sleep(60)
    world.state.open('a')
    expect(await second).toEqual(['ok', 'a run 1'])
  })

  it('replays the result after a reconnect, after a reload, and to another client of the same user', async () => {
    const world = await openWorld()
    const one = world.client()
    expect(await one.once({ key: 'a' }, { key: 'K' })).toBe('a run 1')
    world.cut()
    expect(await one.once({ key: 'a' }, { key: 'K' })).toBe('a run 1')
    one.$connection.close()
    for (const clientKind of clientKinds)
      expect(await world.client(clientKind).once({ key: 'a' }, { key: 'K' })).toBe('a run 1')
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('replays an error, too', async () => {
    const world = await openWorld()
    const client = world.client()
    for (let n = 0; n < 3; n++) {
      const error = await errorOf(client.once({ key: 'a', fails: true }, { key: 'K' }))
      expect(error).toMatchObject({ code: 'BROKEN', data: { run: 1 } })
      world.cut()
    }
    expect(world.state.runs('a')).toHaveLength(1)
  })

  it('with another input is refused, while it runs and afterwards, and did not run', async () => {
    const world = await openWorld()
    const client = world.client()
    const call = client.once({ key: 'a', hold: true }, { key: 'K' })
    await until(() => world.state.runs('a').length)
    expect(await outcome(client.once({ key: 'b' }, { key: 'K' }))).toEqual(['FAILED_PRECONDITION', 'no'])
    world.state.open('a')
    await call
    expect(await outcome(client.once({ key: 'b' }, { key: 'K' }))).toEqual(['FAILED_PRECONDITION', 'no'])
    expect(world.state.runs('b')).toHaveLength(0)
  })

  it("of another user, or of another procedure, is another key: nobody is told another's result", async () => {
    const world = await openWorld()
    const ann = world.client('ws', { params: { user: 'ann' } })
    const bob = world.client('ws', { params: { user: 'bob' } })
    expect(await ann.once({ key: 'a' }, { key: 'K' })).toBe('a run 1')
    expect(await bob.once({ key: 'a' }, { key: 'K' })).toBe('a run 2')
    expect(await ann.otherOnce({ key: 'a' }, { key: 'K' })).toBe('a run 3')
    expect(await ann.once({ key: 'a' }, { key: 'K' })).toBe('a run 1')
  })

  it('is one for each call where none is given', async () => {
    const world = await openWorld()
    const client = world.client()
    expect(await client.once({ key: 'a' })).toBe('a run 1')
    expect(await client.once({ key: 'a' })).toBe('a run 2')
  })
})
