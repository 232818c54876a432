import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { probe, until } from '../../test/probe.ts'
import { Prober } from '../../test/prober.ts'
import { sleep } from '../../test/suites/place.ts'

const session = () => `session ${crypto.randomUUID()}`
const resent = (epoch: string) => ({ attempt: 2, epoch })

describe('a socket that is lost while the object sleeps', () => {
  it.each([
    ['small', 10],
    ['in rows', 30_000],
  ])('leaves its session and its results to the next: %s', async (_name, size) => {
    const { open, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    first.send([2, 1, 'run', { name: 'a', size }])
    await first.answer(1)
    const other = await open({ session: session() })
    await evict()
    first.ws.close(4_104, 'lost')
    await until(async () => (await stub().rows()).sessions === 1)
    const second = await open({ session: id })
    expect(second.epoch).toBe(first.epoch)
    second.send([[13], [2, 1, 'run', { name: 'a', size }, resent(first.epoch)]])
    expect(await second.answer(1)).toEqual([7, 1, 'a'.padEnd(size, '.')])
    expect(await stub().runs('a')).toBe(1)
    other.send([2, 1, 'who'])
    expect((await other.answer(1))?.[0]).toBe(7)
    second.ws.close(1_000)
    other.ws.close(1_000)
    await until(async () => Object.values(await stub().holds()).every((n) => n === 0))
    expect(await stub().rows()).toEqual({ pieces: 0, sessions: 0 })
  })

  it('has the finally of its generators run', async () => {
    const { open, evict, notes, stub } = probe({ context: (user) => sleep(5).then(() => user) })
    const first = await open({ session: session() })
    first.send([2, 1, 'ids'], [2, 3, 'plain'])
    await sleep(30)
    await evict()
    first.ws.close(1_000)
    await until(() => notes().filter((note) => note.startsWith('left')).length === 2)
    expect(await stub().holds()).toEqual({ sockets: 0, sessions: 0, calls: 0, results: 0, resultBytes: 0 })
    expect(await stub().rows()).toEqual({ pieces: 0, sessions: 0 })
  })

  it('ends its session where it said so', async () => {
    const { open, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    first.send([2, 1, 'run', { name: 'a' }])
    await first.answer(1)
    await evict()
    first.ws.close(1_000)
    await until(() => first.closed)
    expect(first.closed).toMatchObject({ code: 1_000 })
    const second = await open({ session: id })
    expect(second.epoch).not.toBe(first.epoch)
    expect(await stub().rows()).toMatchObject({ sessions: 0 })
  })

  it('is forgotten with a context that fails, but its results are not', async () => {
    let broken = false
    const { open, evict, stub } = probe({
      context(user) {
        if (broken) throw new Error('no context')
        return user
      },
    })
    const id = session()
    const first = await open({ session: id })
    first.send([2, 1, 'run', { name: 'a' }])
    await first.answer(1)
    await evict()
    broken = true
    first.ws.close(4_104)
    await until(async () => (await stub().rows()).sessions === 1)
    broken = false
    expect((await open({ session: id })).epoch).toBe(first.epoch)
  })
})

describe('a client that is back', () => {
  it('before its lost socket has a context, has its session', async () => {
    const { open, evict, stub } = probe({ context: (user) => sleep(user.role === 'slow' ? 80 : 1).then(() => user) })
    const id = session()
    const first = await open({ session: id, params: { name: 'ann', role: 'slow' } })
    first.send([2, 1, 'run', { name: 'a' }], [2, 3, 'ids'])
    await first.answer(1)
    await evict()
    first.ws.close(4_104)
    const second = await open({ session: id, params: { name: 'ann', role: 'fast' } })
    expect(second.epoch).toBe(first.epoch)
    await sleep(120)
    second.send([2, 1, 'run', { name: 'a' }, resent(first.epoch)], [2, 5, 'who'])
    expect(await second.answer(1)).toEqual([7, 1, 'a'])
    expect(await second.answer(5)).toEqual([7, 5, { name: 'ann', role: 'fast' }])
    expect(second.closed).toBeUndefined()
    expect(await stub().holds()).toMatchObject({ sockets: 1, sessions: 1, calls: 0 })
  })

  it('on a socket that had not said hello when the object slept, has its session', async () => {
    const { open, silent, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    const second = await silent()
    // In another process sockets are counted anew: as if more had come there.
    await runInDurableObject(stub(), (_object, state) => {
      for (const ws of state.getWebSockets()) {
        const attachment = ws.deserializeAttachment()
        const { pieces } = attachment as { pieces: string[] }
        const head = JSON.parse(pieces[pieces.indexOf('h') + 1]!)
        if (head.order) head.order *= 2
        pieces[pieces.indexOf('h') + 1] = JSON.stringify(head)
        ws.serializeAttachment(attachment)
      }
    })
    await evict()
    second.send([0, 1, id, {}])
    expect((await second.until(([op]) => op === 1))?.[1]).toMatchObject({ epoch: first.epoch })
    expect(await first.end()).toMatchObject({ code: 4_008 })
    expect(second.closed).toBeUndefined()
  })
})

describe('waking up', () => {
  it('closes with 4202 what was known in rows that are gone', async () => {
    const { open, silent, evict, stub, errors } = probe()
    const large = await open({ params: { name: 'n'.repeat(9_000) } })
    const small = await open()
    const stranger = await silent({ Cookie: 'c'.repeat(9_000) })
    await stub().empty()
    await evict()
    small.send([2, 1, 'who'])
    expect((await small.answer(1))?.[0]).toBe(7)
    expect([await large.end(), await stranger.end()]).toMatchObject([{ code: 4_202 }, { code: 4_202 }])
    expect(errors()).toEqual([])
  })

  it('closes all sockets of a class without a router, and says why', async () => {
    const { open, evict, name } = probe()
    const raw = await open()
    Prober.orders.set(name, { noRouter: true })
    vi.spyOn(console, 'error').mockReturnValue()
    await evict()
    raw.send([2, 1, 'who'])
    expect(await raw.end()).toMatchObject({ code: 4_100 })
  })
})

describe('hello', () => {
  it('is asked for at the next event, and is not missed where authenticate takes long', async () => {
    let patient = false
    const { silent, open, stub } = probe({
      options: { limits: { hello: 60 } },
      async authenticate({ params }) {
        if (patient) for (const end = Date.now() + 150; Date.now() < end; await sleep(5));
        return (params ?? { name: 'nobody' }) as { name: string }
      },
    })
    patient = true
    const stranger = await silent()
    const slow = await silent()
    slow.send([0, 1, '', {}])
    await sleep(100)
    patient = false
    await open()
    expect(await stranger.end()).toMatchObject({ code: 4_105 })
    expect((await slow.until(([op]) => op === 1))?.[0]).toBe(1)
    expect(slow.closed).toBeUndefined()
    expect((await stub().holds()).sockets).toBe(2)
  })
})

describe('a socket that is silent', () => {
  it('for three heartbeats is closed at the next event, but not one whose pings the platform answered', async () => {
    const { open, evict, stub } = probe({ options: { heartbeat: 200 } })
    const [dead, pinging, other] = [await open(), await open(), await open()]
    await evict()
    for (let n = 0; n < 8; n++) {
      pinging.send('[11]')
      await sleep(100)
    }
    expect(await pinging.until(([op]) => op === 12)).toEqual([12])
    expect(dead.closed).toBeUndefined()
    other.send([2, 1, 'who'])
    expect((await other.answer(1))?.[0]).toBe(7)
    expect(await dead.end()).toMatchObject({ code: 4_104 })
    expect([pinging.closed, other.closed]).toEqual([undefined, undefined])
    expect((await stub().holds()).sockets).toBe(2)
  })

  it('is not closed because a clock was set back, nor is any other', async () => {
    const { open, silent, evict, stub } = probe({ options: { heartbeat: 100 } })
    const [raw, stranger] = [await open({ session: session() }), await silent()]
    const { now } = Date
    const earlier = vi.spyOn(Date, 'now').mockImplementation(() => now.call(Date) - 86_400_000)
    for (const id of [1, 3, 5]) {
      raw.send([2, id, 'run', { name: 'a' }])
      expect((await raw.answer(id))?.[0]).toBe(7)
      await evict()
    }
    // One that comes now came last, whatever the clock says.
    stranger.send([0, 1, '', {}])
    expect((await stranger.until(([op]) => op === 1))?.[0]).toBe(1)
    expect([raw.closed, stranger.closed]).toEqual([undefined, undefined])
    earlier.mockRestore()
    expect((await stub().holds()).sockets).toBe(2)
  })

  it('leaves its place to one that comes when the clock was set back', async () => {
    const { open, evict } = probe()
    const id = session()
    const first = await open({ session: id })
    const { now } = Date
    const earlier = vi.spyOn(Date, 'now').mockImplementation(() => now.call(Date) - 86_400_000)
    await evict()
    const second = await open({ session: id })
    expect(second.epoch).toBe(first.epoch)
    expect(await first.end()).toMatchObject({ code: 4_008 })
    await evict()
    second.send([2, 1, 'who'])
    expect((await second.answer(1))?.[0]).toBe(7)
    earlier.mockRestore()
  })
})

describe('an input stream of a subscription', () => {
  it('that had been read goes on, and one that is being read fails', async () => {
    const { open, evict, stub, notes } = probe()
    const raw = await open()
    await stub().open('free')
    raw.send([2, 1, 'talk', 'free'], [4, 1, 'one'])
    expect(await raw.until(([op]) => op === 9)).toEqual([9, 1, 'one'])
    await evict()
    await stub().open('free')
    raw.send([4, 1, 'two'])
    expect(await raw.until(([op, , text]) => op === 9 && text === ('two' as never))).toEqual([9, 1, 'two'])
    raw.send([2, 3, 'talk', 'shut'])
    await sleep(20)
    raw.send([4, 3, 'lost?'])
    await until(() => notes().includes('heard lost?'))
    await evict()
    raw.send([2, 5, 'who'])
    expect(await raw.answer(3)).toMatchObject([8, 3, { code: 'UNAVAILABLE' }])
  })

  it('of a mutation keeps the object', async () => {
    const { open } = probe()
    const raw = await open({ session: session() })
    raw.send([2, 1, 'sum'])
    for (const n of [1, 2, 3]) {
      raw.send([4, 1, n])
      await sleep(5)
    }
    raw.send([5, 1])
    expect(await raw.answer(1)).toEqual([7, 1, 6])
    expect(raw.closed).toBeUndefined()
  })
})
