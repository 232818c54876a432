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
})
