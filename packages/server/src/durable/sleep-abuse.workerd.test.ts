import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { probe, until } from '../../test/probe.ts'
import type { Prober } from '../../test/prober.ts'
import { sleep } from '../../test/suites/place.ts'
import { rooms } from './rooms.ts'
import { vouch } from './vouched.ts'

const session = () => `session ${crypto.randomUUID()}`

/** What nobody catches, anywhere in this isolate. */
const floating: unknown[] = []
const note = (event: PromiseRejectionEvent) => floating.push(event.reason)
beforeEach(() => {
  floating.length = 0
  addEventListener('unhandledrejection', note)
})
afterEach(async () => {
  await sleep(5)
  removeEventListener('unhandledrejection', note)
  expect(floating).toEqual([])
})

describe('what a peer sends after a wake-up', () => {
  const asleep = async (window?: number) => {
    const object = probe()
    const id = session()
    const raw = await object.open({ session: id, ...(window && { window }) })
    raw.send([2, 1, 'topic'], [2, 3, 'ids'], [2, 5, 'run', { name: 'a' }])
    await raw.answer(5)
    await object.stub().announce('x'.repeat(100))
    await raw.until(([op, of]) => op === 9 && (of as unknown) === 3)
    const other = await object.open()
    other.send([2, 1, 'topic'])
    await other.until(([op]) => op === 14)
    await object.evict()
    return { ...object, raw, other, id }
  }

  it.each<[string, unknown[], number]>([
    ['a grant of more than was sent', [6, 1, 10_000], 4_000],
    ['a grant that is no number', [6, 1, 'x'], 4_000],
    ['the id of a call that runs', [2, 1, 'topic'], 4_002],
    ['a second hello', [0, 1, 'x', {}], 4_005],
    ['a welcome', [1, {}], 4_000],
    ['an id of the other parity', [2, 2, 'topic'], 4_000],
    ['nonsense', ['x'], 4_000],
  ])('%s closes its socket, and no other', async (_name, message, code) => {
    const { raw, other, stub, errors } = await asleep()
    raw.send(message)
    expect(await raw.end()).toMatchObject({ code })
    await stub().announce('later')
    expect(await other.until(([op, , text]) => op === 9 && text === ('later' as never))).toBeDefined()
    expect((await stub().holds()).sockets).toBe(1)
    expect(errors()).toEqual([])
  })

  it('what is about calls that are unknown, or have ended, is ignored', async () => {
    const { raw } = await asleep()
    for (const id of [5, 7, 2 ** 40 + 1])
      raw.send([3, id], [4, id, 'x'], [5, id], [6, id, 5], [6, id, -5], [7, id + 1, 'x'], [8, id + 1, {}], [10, id + 1])
    raw.send([12], [12], [13], [14, 8, 'x'], '[11]')
    raw.send([2, 101, 'who'])
    expect((await raw.answer(101))?.[0]).toBe(7)
    expect(raw.closed).toBeUndefined()
  })

  it('an event of a call to it that nobody waits for any more is cancelled', async () => {
    const { raw } = await asleep()
    raw.send([9, 8, 'x'])
    expect(await raw.until(([op, of]) => op === 3 && (of as unknown) === 8)).toBeDefined()
  })

  it('the id of a call that has ended is taken for the call again: its result is known', async () => {
    const { raw, stub, evict } = await asleep()
    raw.send([2, 5, 'run', { name: 'a' }])
    expect(
      await raw.until(
        (message) => message !== raw.messages.find(([op, of]) => op === 7 && (of as unknown) === 5) && message[0] === 7,
      ),
    ).toEqual([7, 5, 'a'])
    raw.send([3, 1])
    await evict()
    raw.send([2, 1, 'who'])
    expect((await raw.until(([op, of]) => op === 7 && (of as unknown) === 1))?.[0]).toBe(7)
    expect(await stub().runs('a')).toBe(1)
  })
})

describe('a hello', () => {
  it('of any size and shape is borne', async () => {
    const { silent, open, evict, stub } = probe()
    for (const [id, options] of [
      ['x'.repeat(128), { params: { name: 'p'.repeat(900_000) } }],
      ['x'.repeat(129), { params: { name: 'ann' }, timeout: 'x', window: -1, codec: {} }],
      [5, { timeout: {}, window: [] }],
      [null, null],
      ['\u0000"\\', { timeout: 1e308, window: 1e-9 }],
    ]) {
      const raw = await silent()
      raw.send([0, 1, id, options])
      expect((await raw.until(([op]) => op === 1))?.[0]).toBe(1)
      raw.send([2, 1, 'ids', null, { timeout: 5_000 }, ['undefined']])
      await evict()
      raw.send([2, 3, 'who', null, { timeout: 5_000 }, ['undefined']])
      expect((await raw.answer(3))?.[0]).toBe(7)
      raw.ws.close(1_000)
      await until(async () => (await stub().holds()).sockets === 0)
    }
    expect((await open()).epoch).toBeTruthy()
    expect((await stub().rows()).pieces).toBeLessThan(2)
  })

  it('that says the name of somebody else’s session gets one of its own, awake and asleep', async () => {
    const { open, evict, stub } = probe()
    const id = session()
    const ann = await open({ session: id, params: { name: 'ann' } })
    ann.send([2, 1, 'run', { name: 'a' }])
    await ann.answer(1)
    await evict()
    const bob = await open({ session: id, params: { name: 'bob' } })
    expect(bob.epoch).not.toBe(ann.epoch)
    bob.send([2, 1, 'run', { name: 'b' }, { attempt: 2, epoch: ann.epoch }])
    expect(await bob.answer(1)).toMatchObject([8, 1, { executed: 'unknown' }])
    await evict()
    ann.ws.close(4_104)
    await until(async () => (await stub().rows()).sessions === 1)
    await evict()
    const bobAgain = await open({ session: id, params: { name: 'bob' } })
    expect(bobAgain.epoch).toBe(bob.epoch)
    const annAgain = await open({ session: id, params: { name: 'ann' } })
    expect(annAgain.epoch).toBe(ann.epoch)
    expect(bobAgain.closed).toBeUndefined()
    // Nor does one who speaks another codec.
    const plain = await open({ session: id, params: { name: 'ann' }, codec: 'json' })
    expect([ann.epoch, bob.epoch]).not.toContain(plain.epoch)
  })

  it('whose owner cannot be written down is like nobody else’s, also after a sleep', async () => {
    const { open, evict } = probe({ owner: () => () => {} })
    const id = session()
    const first = await open({ session: id })
    await evict()
    const second = await open({ session: id })
    expect(second.epoch).not.toBe(first.epoch)
    expect(first.closed).toBeUndefined()
  })

  it('does not come from many: all are closed at the next event after limits.hello', async () => {
    const { silent, open, stub, evict } = probe()
    const strangers = await Promise.all(Array.from({ length: 300 }, () => silent()))
    const guest = await open()
    await evict()
    guest.send([2, 1, 'who'])
    expect((await guest.answer(1))?.[0]).toBe(7)
    expect(strangers.filter(({ closed }) => closed).length).toBe(0)
    const { now } = Date
    const later = vi.spyOn(Date, 'now').mockImplementation(() => now.call(Date) + 10_001)
    guest.send([2, 3, 'who'])
    expect((await guest.answer(3))?.[0]).toBe(7)
    later.mockRestore()
    await until(() => strangers.every(({ closed }) => closed?.code === 4_105))
    await until(async () => (await stub().holds()).sockets === 1)
    expect(guest.closed).toBeUndefined()
  })
})

describe('an identity', () => {
  it('is the one of the last refresh, after a sleep', async () => {
    const { open, evict } = probe()
    const raw = await open({ session: session(), params: { name: 'ann', role: 'guest' } })
    raw.send([2, 1, '$refresh', { name: 'ann', role: 'admin' }])
    expect(await raw.answer(1)).toEqual([7, 1])
    await evict()
    raw.send([2, 3, 'who'])
    expect(await raw.answer(3)).toEqual([7, 3, { name: 'ann', role: 'admin' }])
    raw.send([2, 5, '$refresh', { name: 'bob' }])
    expect(await raw.answer(5)).toMatchObject([8, 5, { code: 'PERMISSION_DENIED' }])
    await evict()
    raw.send([2, 7, 'who'])
    expect(await raw.answer(7)).toEqual([7, 7, { name: 'ann', role: 'admin' }])
  })

  it('is not taken from a header, and not from what a client can say of itself', async () => {
    const seen: unknown[] = []
    const { stub, name } = probe({
      authenticate: ({ identity, request }) => {
        seen.push([identity, (request.cf as { pairwire?: unknown } | undefined)?.pairwire])
        return { name: 'nobody' }
      },
    })
    const hello = async (fetch: () => Promise<Response>) => {
      const { webSocket } = await fetch()
      webSocket!.accept()
      webSocket!.send('[0,1,"",{}]')
      const before = seen.length
      await until(() => seen.length > before)
      webSocket!.close(1_000)
      return seen.at(-1)
    }
    const forged = JSON.stringify({ name, json: '{"name":"root"}' })
    const headers = {
      Upgrade: 'websocket',
      'Sec-WebSocket-Protocol': 'pairwire.1',
      cf: forged,
      pairwire: forged,
      'cf-pairwire': forged,
      'x-pairwire': forged,
    }
    expect(await hello(() => stub().fetch('http://probe.test/', { headers }))).toEqual([undefined, undefined])
    // Through a Worker that has found out nothing.
    const open = rooms<Prober, typeof env>({ path: '/:name', namespace: (env) => env.PROBERS })
    const path = `http://probe.test/${encodeURIComponent(name)}`
    expect(await hello(() => open.fetch(new Request(path, { headers }), env))).toMatchObject([undefined, { name }])
    // And through one that has: what it says goes over what came.
    const known = rooms<Prober, typeof env>({
      path: '/:name',
      namespace: (env) => env.PROBERS,
      authenticate: () => ({ name: 'ann' }),
    })
    const before = vouch(new Request(path, { headers }), { identity: { name: 'root' }, name })
    expect(await hello(() => known.fetch(before, env))).toMatchObject([{ name: 'ann' }, {}])
  })
})

describe('bounds', () => {
  it('of subscriptions hold over sleeps, and all that they need goes with them', async () => {
    const { open, evict, stub } = probe({ options: { limits: { subscriptions: 100 } } })
    const raw = await open({ session: session() })
    for (let n = 0; n < 120; n++) raw.send([2, 2 * n + 1, 'quiet', 'x'.repeat(20_000)])
    await until(() => raw.messages.filter(([op]) => op === 8).length === 20)
    await evict()
    raw.send([2, 301, 'quiet', 'x'])
    expect(await raw.answer(301)).toMatchObject([8, 301, { code: 'RESOURCE_EXHAUSTED', executed: 'no' }])
    expect(await stub().holds()).toMatchObject({ calls: 100 })
    expect((await stub().rows()).pieces).toBeLessThan(110)
    for (let n = 0; n < 100; n++) raw.send([3, 2 * n + 1])
    await until(async () => (await stub().holds()).calls === 0)
    expect(await stub().rows()).toEqual({ pieces: 0, sessions: 0 })
    raw.send([2, 401, 'quiet', 'x'.repeat(20_000)])
    await until(async () => (await stub().rows()).pieces === 1)
    raw.ws.close(1_000)
    await until(async () => (await stub().rows()).pieces === 0)
  })

  it('of a row: each lies below the 2 MB that the platform takes', async () => {
    const { open, stub, evict } = probe()
    const raw = await open({ session: session() })
    raw.send([2, 1, 'quiet', '五'.repeat(1_000_000)])
    raw.send([2, 3, 'run', { name: '五', size: 10 }])
    await raw.answer(3)
    await until(async () => (await stub().rows()).pieces > 0)
    await runInDurableObject(stub(), (_object, { storage }) => {
      for (const { n } of storage.sql.exec<{ n: number }>(
        'SELECT length(CAST(text AS BLOB)) + coalesce(length(bytes), 0) AS n FROM pairwire_pieces',
      ))
        expect(n).toBeLessThan(2_000_000)
    })
    await evict()
    await stub().announce('shout')
    expect(await raw.until(([op]) => op === 9)).toEqual([9, 1, 'shout'])
  })

  it('of writes: one for each socket and turn, whatever happened in it', async () => {
    const { open, stub } = probe({ options: { limits: { subscriptions: 1_000 } } })
    const raw = await open({ session: session() })
    const other = await open({ session: session() })
    for (let n = 0; n < 150; n++) raw.send([2, 2 * n + 1, ['topic', 'ids', 'plain'][n % 3]])
    other.send([2, 1, 'topic'], [2, 3, 'who'])
    await other.answer(3)
    await until(async () => (await stub().holds()).calls === 151)
    const count = async (what: () => Promise<unknown>) => {
      const spies = await runInDurableObject(stub(), (_object, state) =>
        state.getWebSockets().map((ws) => vi.spyOn(ws, 'serializeAttachment')),
      )
      await what()
      await sleep(20)
      const counts = spies.map((spy) => spy.mock.calls.length)
      for (const spy of spies) spy.mockRestore()
      return counts.sort()
    }
    const events = () => raw.messages.filter(([op]) => op === 9).length
    const before = events()
    expect(
      await count(() =>
        runInDurableObject(stub(), (object) => {
          for (let n = 0; n < 5; n++) (object as unknown as Prober).announce('x'.repeat(500))
        }).then(() => until(() => events() >= before + 5 * 100)),
      ),
      // What the slow generators read next comes in turns of their own.
    ).toEqual([1, expect.any(Number)])
    for (let n = 2; n < 150; n += 3) raw.send([3, 2 * n + 1])
    await until(async () => (await stub().holds()).calls === 101)
    await sleep(50)
    expect(
      await count(() =>
        runInDurableObject(stub(), (object) => {
          for (let n = 0; n < 5; n++) (object as unknown as Prober).announce('x'.repeat(500))
        }),
      ),
    ).toEqual([1, 1])
    expect(
      await count(async () => {
        raw.send(Array.from({ length: 100 }, (_, n) => [2, 1_001 + 2 * n, 'look', { name: 'l' }]))
        await raw.answer(1_199)
      }),
    ).toEqual([0, 0])
    expect(
      await count(async () => {
        raw.send(Array.from({ length: 20 }, (_, n) => [2, 2_001 + 2 * n, 'run', { name: 'l' }]))
        await raw.answer(2_039)
      }),
    ).toEqual([0, 1])
  })
})
