import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { probe, until } from '../../test/probe.ts'

const session = () => `session ${crypto.randomUUID()}`
const resent = (epoch: string) => ({ attempt: 2, epoch })

describe('the result of a mutation', () => {
  it.each([
    ['small', 0],
    ['larger than a frame waits for', 5_000],
    ['larger than an attachment', 100_000],
  ])('that is %s is there after a sleep, where the client has not got it', async (_name, size) => {
    const { open, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    first.send([2, 1, 'run', { name: 'a', size }])
    expect((await first.answer(1))![0]).toBe(7)
    await evict()
    const second = await open({ session: id })
    expect(second.epoch).toBe(first.epoch)
    second.send([[13], [2, 1, 'run', { name: 'a', size }, resent(first.epoch)]])
    expect(await second.answer(1)).toEqual([7, 1, 'a'.padEnd(size, '.')])
    expect(await stub().runs('a')).toBe(1)
  })

  it.each([0, 5_000])('of %i characters that came late is there as well', async (size) => {
    const { open, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    const waits = `late ${id}`
    first.send([2, 1, 'run', { name: 'a', size, gate: waits }])
    await until(async () => (await stub().runs('a')) === 1)
    await stub().open(waits)
    await first.answer(1)
    await evict()
    const second = await open({ session: id })
    second.send([[13], [2, 1, 'run', { name: 'a', size, gate: waits }, resent(first.epoch)]])
    expect(await second.answer(1)).toEqual([7, 1, 'a'.padEnd(size, '.')])
    expect(await stub().runs('a')).toBe(1)
  })

  it('is not confirmed by the answer to a question that was asked before it was there', async () => {
    const { open, evict, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    const call = (n: number) => [2, n * 2 + 1, 'run', { name: `n${n}` }]
    for (let n = 0; n < 32; n++) first.send(call(n))
    expect(await first.until(([op]) => op === 11)).toEqual([11])
    // The answer to that is under way when the object sleeps, is woken by another call, and asks again.
    await evict()
    first.send(call(32), '[12]')
    await first.answer(65)
    const second = await open({ session: id })
    second.send([[13], [2, 65, 'run', { name: 'n32' }, resent(first.epoch)]])
    expect(await second.answer(65)).toEqual([7, 65, 'n32'])
    expect(await stub().runs('n32')).toBe(1)
  })

  it('is confirmed by an answer that comes after a sleep', async () => {
    const { open, evict, stub } = probe()
    const first = await open({ session: session() })
    for (let n = 0; n < 32; n++) first.send([2, n * 2 + 1, 'run', { name: `n${n}` }])
    await first.until(([op]) => op === 11)
    await evict()
    first.send('[12]')
    first.send([2, 101, 'who'])
    await first.answer(101)
    expect(await stub().holds()).toMatchObject({ results: 0 })
    await evict()
    expect(await stub().holds()).toMatchObject({ results: 0 })
    // And it asks again when there is more.
    for (let n = 100; n < 132; n++) first.send([2, n * 2 + 1, 'run', { name: `n${n}` }])
    await until(() => first.messages.filter(([op]) => op === 11).length === 2)
  })

  it('that a client has taken back is not believed once more after a crash', async () => {
    const { open, evict, crash, stub } = probe()
    const id = session()
    const first = await open({ session: id })
    first.send([2, 1, 'run', { name: 'a' }])
    await first.answer(1)
    first.ws.close(4_104)
    await until(async () => (await stub().rows()).sessions === 1)
    await evict()
    const second = await open({ session: id })
    expect([second.epoch, (await stub().rows()).sessions]).toEqual([first.epoch, 0])
    second.send([2, 3, 'run', { name: 'b' }])
    await second.answer(3)
    await crash()
    const third = await open({ session: id })
    expect(third.epoch).not.toBe(first.epoch)
    third.send(
      [13],
      [2, 1, 'run', { name: 'a' }, resent(first.epoch)],
      [2, 3, 'run', { name: 'b' }, resent(first.epoch)],
    )
    for (const id of [1, 3]) expect(await third.answer(id)).toMatchObject([8, id, { executed: 'unknown' }])
    third.send([2, 5, 'idempotent', { name: 'a' }, resent(first.epoch)])
    expect(await third.answer(5)).toEqual([7, 5, 'a'])
    expect([await stub().runs('a'), await stub().runs('b')]).toEqual([2, 1])
  })

  it('that there will never be is told once, where the object was ended while it ran', async () => {
    const { open, evict, stub } = probe()
    const id = session()
    const raw = await open({ session: id })
    raw.send([2, 1, 'run', { name: 'a' }])
    await raw.answer(1)
    // The platform ends what runs for a quarter of an hour, and leaves the sockets.
    await runInDurableObject(stub(), (_object, state) => {
      const [ws] = state.getWebSockets()
      const attachment = ws!.deserializeAttachment() as { pieces: string[] }
      const at = attachment.pieces.indexOf('s') + 1
      attachment.pieces[at] = JSON.stringify({ ...JSON.parse(attachment.pieces[at]!), pending: [3] })
      ws!.serializeAttachment(attachment)
    })
    for (let n = 0; n < 3; n++) {
      await evict()
      raw.send([2, 101 + 2 * n, 'who'])
      await raw.answer(101 + 2 * n)
    }
    expect(raw.messages.filter(([op]) => op === 8)).toMatchObject([
      [8, 3, { code: 'UNAVAILABLE', executed: 'unknown' }],
    ])
    const second = await open({ session: id })
    second.send([13], [2, 3, 'run', { name: 'b' }, resent(raw.epoch)], [2, 1, 'run', { name: 'a' }, resent(raw.epoch)])
    expect(await second.answer(3)).toMatchObject([8, 3, { executed: 'unknown' }])
    expect(await second.answer(1)).toEqual([7, 1, 'a'])
    expect(await stub().runs('b')).toBe(0)
  })
})
