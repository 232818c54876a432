import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { probe, until } from '../../test/probe.ts'
import { Prober } from '../../test/prober.ts'
import { sleep } from '../../test/suites/place.ts'

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
  vi.restoreAllMocks()
  expect(floating).toEqual([])
})

/** Has statements that match fail, in the storage of every object, until it is told to stop. */
const breakStorage = (stub: DurableObjectStub<never>, what: RegExp): Promise<() => void> =>
  runInDurableObject(stub, (_object, { storage }) => {
    const all = Object.getPrototypeOf(storage.sql) as SqlStorage
    const { exec } = all
    const spy = vi.spyOn(all, 'exec')
    spy.mockImplementation(function (this: SqlStorage, query: string, ...bindings: unknown[]) {
      if (what.test(query)) throw new Error('the disk is full')
      return exec.call(this, query, ...bindings) as never
    } as never)
    return () => spy.mockRestore()
  })

describe('the close handshake', () => {
  it.each([
    [1_000, 'bye', 1_000],
    [undefined, undefined, 1_005],
    [3_333, 'own', 3_333],
    [4_104, '', 4_104],
    [1_001, 'away', 1_001],
  ])('echoes %s at once, awake and asleep', async (code, reason, told) => {
    const { open, evict, stub } = probe()
    for (const asleep of [false, true]) {
      const raw = await open({ session: session() })
      raw.send([2, 1, 'topic'])
      await raw.until(([op]) => op === 14)
      if (asleep) await evict()
      const before = Date.now()
      raw.ws.close(code, reason)
      expect(await raw.end(5_000)).toMatchObject({ code: told })
      expect(Date.now() - before).toBeLessThan(1_500)
      await until(async () => (await stub().holds()).sockets === 0)
    }
  })

  it('ends a socket that is lost without one, and keeps its session', async () => {
    for (const asleep of [false, true]) {
      const { open, stub, evict } = probe()
      const id = session()
      const raw = await open({ session: id })
      raw.send([2, 1, 'topic'], [2, 3, 'run', { name: 'a' }])
      await raw.answer(3)
      if (asleep) await evict()
      // As the platform tells of it: there is no close frame to answer.
      await runInDurableObject(stub(), async (object, state) => {
        const [ws] = state.getWebSockets()
        await (asleep ? object.webSocketError(ws!, new Error('reset')) : object.webSocketClose(ws!, 1_006, '', false))
        expect((object as unknown as { held: { sockets: number } }).held.sockets).toBe(0)
      })
      expect((await stub().rows()).sessions).toBe(1)
      expect((await open({ session: id })).epoch).toBe(raw.epoch)
    }
  })
})

describe('when it wakes up', () => {
  it('a handler that throws, or takes no input any more, fails its call and no other', async () => {
    const { open, evict, stub, errors, name } = probe()
    const raw = await open({ session: session() })
    raw.send([2, 1, 'topic'], [2, 3, 'broken'], [2, 5, 'ids'])
    await until(async () => (await stub().holds()).calls === 3)
    Prober.broken.add(name)
    await evict()
    await stub().announce('one')
    expect(await raw.answer(3)).toMatchObject([8, 3, { code: 'INTERNAL' }])
    for (const id of [1, 5])
      expect(
        await raw.until(([op, of, text]) => op === 9 && (of as unknown) === id && text === ('one' as never)),
      ).toBeDefined()
    expect(errors()).toMatchObject([{ message: 'broken at wake-up' }])
    // Nothing of it is left, after one more sleep.
    await evict()
    expect((await stub().holds()).calls).toBe(2)
  })

  it('a context that throws closes its socket, and is told of', async () => {
    let broken = ''
    const { open, evict, stub, errors } = probe({
      context(user) {
        if (user.name === broken) throw new Error('no context')
        return user
      },
    })
    const ann = await open({ params: { name: 'ann' } })
    const bob = await open({ params: { name: 'bob' } })
    broken = 'ann'
    await evict()
    bob.send([2, 1, 'who'])
    expect(await bob.answer(1)).toEqual([7, 1, { name: 'bob' }])
    expect(await ann.end()).toMatchObject({ code: 4_100 })
    expect(errors()).toMatchObject([{ message: 'no context' }])
    expect((await stub().holds()).sockets).toBe(1)
  })

  it('rows that cannot be read close the sockets that have some, and are told of', async () => {
    const { open, evict, stub, errors } = probe()
    const [raw, missed] = [
      await open({ params: { name: 'n'.repeat(9_000) } }),
      await open({ params: { name: 'm'.repeat(9_000) } }),
    ]
    const small = await open()
    const restore = await breakStorage(stub() as never, /SELECT name, text/)
    await evict()
    missed.ws.close(4_104)
    small.send([2, 1, 'who'])
    expect((await small.answer(1))?.[0]).toBe(7)
    expect(await raw.end()).toMatchObject({ code: 4_100 })
    await until(() => errors().length >= 2)
    restore()
    expect(new Set(errors().map(String))).toEqual(new Set(['Error: the disk is full']))
    expect((await stub().holds()).sockets).toBe(1)
  })
})

describe('storage that fails', () => {
  it('while a socket is written down closes it, and what else there is goes on', async () => {
    const { open, stub, errors } = probe()
    const raw = await open({ session: session() })
    const other = await open()
    const restore = await breakStorage(stub() as never, /pairwire_pieces/)
    raw.send([2, 1, 'quiet', 'x'.repeat(9_000)])
    expect(await raw.end()).toMatchObject({ code: 4_202 })
    restore()
    expect(errors().map(String)).toContain('Error: the disk is full')
    other.send([2, 1, 'who'])
    expect((await other.answer(1))?.[0]).toBe(7)
    expect((await stub().holds()).sockets).toBe(1)
  })

  it('while a session is written down loses the session, and nothing else', async () => {
    const { open, stub, errors } = probe()
    const id = session()
    const raw = await open({ session: id })
    const other = await open()
    other.send([2, 1, 'who'])
    await other.answer(1)
    const restore = await breakStorage(stub() as never, /pairwire_sessions/)
    raw.ws.close(4_104)
    expect(await raw.end()).toMatchObject({ code: 4_104 })
    await until(() => errors().length > 0)
    restore()
    expect(String(errors()[0])).toBe('Error: the disk is full')
    expect((await stub().holds()).sockets).toBe(1)
    // It is remembered as long as the object is awake.
    expect((await open({ session: id })).epoch).toBe(raw.epoch)
    other.send([2, 3, 'who'])
    expect((await other.answer(3))?.[0]).toBe(7)
  })

  it('while a session is looked for refuses the socket, and the client comes back', async () => {
    const { open, silent, stub, errors, evict } = probe()
    const id = session()
    const raw = await open({ session: id })
    raw.ws.close(4_104)
    await until(async () => (await stub().rows()).sessions === 1)
    await evict()
    const restore = await breakStorage(stub() as never, /pairwire_sessions/)
    const refused = await silent()
    refused.send([0, 1, id, {}])
    expect(await refused.end()).toMatchObject({ code: 4_100 })
    restore()
    expect(errors().map(String)).toEqual(['Error: the disk is full'])
    expect((await open({ session: id })).epoch).toBe(raw.epoch)
    expect((await stub().holds()).sockets).toBe(1)
  })
})

describe('what is told to nobody else', () => {
  it('an onError that throws, or rejects, changes nothing', async () => {
    const { open, evict, stub } = probe({
      options: {
        onError: () => Promise.reject(new Error('nor that')),
      },
      authenticate({ params }) {
        if (params === 'throw') throw new Error('no')
        if (params === 'reject') return Promise.reject(new Error('no'))
        return { name: 'x' }
      },
    })
    for (const params of ['throw', 'reject']) await expect(open({ params })).rejects.toThrow('4100')
    const raw = await open()
    await evict()
    raw.send([2, 1, 'who'])
    expect((await raw.answer(1))?.[0]).toBe(7)
    expect((await stub().holds()).sockets).toBe(1)
  })

  it('an identity that cannot be written down closes the socket, and is told of', async () => {
    const { silent, stub, errors } = probe({
      authenticate: () => ({ name: 'x', of: () => {} }) as never,
      owner: () => 'x',
    })
    const raw = await silent()
    raw.send([0, 1, '', {}])
    expect((await raw.end())?.code).toBeGreaterThanOrEqual(4_100)
    expect(String(errors()[0])).toMatch(/plain/)
    await until(async () => (await stub().holds()).sockets === 0)
  })
})
