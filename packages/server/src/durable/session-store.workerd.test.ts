import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it, vi } from 'vitest'
import { Results } from '../results.ts'
import type { Session } from '../session.ts'
import { createSessionStore } from './session-store.ts'

let objects = 0
const inObject = <T>(run: (storage: DurableObjectStorage) => T | Promise<T>, name = `store ${++objects}`): Promise<T> =>
  runInDurableObject(env.OBJECT.getByName(name), (_object, { storage }) => run(storage))

const answer = (text: string, ...bytes: Uint8Array[]) => ({
  text,
  bytes: bytes.length ? bytes : undefined,
  weight: 64 + text.length + bytes.reduce((sum, { length }) => sum + length, 0),
})
const sessionOf = (
  kept: [number, ReturnType<typeof answer>][],
  { pending = [], lost = [], forgotten = 0 }: { pending?: number[]; lost?: number[]; forgotten?: number } = {},
): Session => {
  const results = new Results({ epoch: 'epoch', lost: new Set(lost), forgotten }, 1e9)
  for (const [id, one] of kept) results.keep(id, one, undefined)
  return { results, pending: new Set(pending), lastCallId: 6 } as unknown as Session
}
const rows = ({ sql }: DurableObjectStorage) =>
  sql.exec<{ n: number }>('SELECT count(*) AS n FROM pairwire_sessions').one().n

it('gives back what was written, once', async () => {
  const bytes = [new Uint8Array([1, 2]), new Uint8Array([3]), new Uint8Array([])]
  const name = 'store of one'
  const session = sessionOf(
    [
      [5, answer('[7,5,"五"]')],
      [1, answer('[7,1,…]', ...bytes)],
      [9, answer('[7,9]', new Uint8Array([4]))],
    ],
    { pending: [3, 7], lost: [11], forgotten: 2 },
  )
  await inObject((storage) => createSessionStore(storage, 10, 1_000).put('key', session, Date.now() + 1_000), name)
  await inObject((storage) => {
    const store = createSessionStore(storage, 10, 1_000)
    expect(store.take('other')).toBeUndefined()
    const { results, lastCallId } = store.take('key')!
    expect([results.epoch, results.forgotten, [...results.lost], lastCallId]).toEqual(['epoch', 2, [11, 3, 7], 6])
    expect(
      [...results.kept].map(([id, { answer, line }]) => [id, answer.text, answer.bytes, answer.weight, line]),
    ).toEqual([
      [1, '[7,1,…]', [new Uint8Array([1, 2, 3])], 64 + 7 + 3, undefined],
      [5, '[7,5,"五"]', undefined, 64 + 9, undefined],
      [9, '[7,9]', [new Uint8Array([4])], 64 + 5 + 1, undefined],
    ])
    expect(store.take('key')).toBeUndefined()
    expect(rows(storage)).toBe(0)
  }, name)
})

it('writes over what was written', () =>
  inObject((storage) => {
    const store = createSessionStore(storage, 10, 1_000)
    store.put('key', sessionOf([[1, answer('one', new Uint8Array(9))]], { pending: [3] }), Date.now() + 1_000)
    store.put('key', sessionOf([[3, answer('three')]]), Date.now() + 1_000)
    const { results } = store.take('key')!
    expect([[...results.kept.keys()], results.lost.size, results.kept.get(3)?.answer.bytes]).toEqual([
      [3],
      0,
      undefined,
    ])
  }))

it('gives back nothing that is overdue, and takes it away when it comes by', () =>
  inObject((storage) => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_000_000)
    const store = createSessionStore(storage, 10, 100)
    for (const [key, deadline] of [
      ['a', 1_000_100],
      ['b', 1_000_101],
      ['c', 1_000_500],
    ] as const)
      store.put(key, sessionOf([]), deadline)
    now.mockReturnValue(1_000_100)
    expect(store.take('a')).toBeUndefined()
    expect(rows(storage)).toBe(2)
    now.mockReturnValue(1_000_200)
    store.put('d', sessionOf([]), 1_000_300)
    expect(rows(storage)).toBe(2)
    expect(store.take('c')).toBeDefined()
    // A clock that is set back gives nobody back who was taken, and takes nobody who is not overdue.
    now.mockReturnValue(500_000)
    store.put('e', sessionOf([]), 500_100)
    expect([store.take('c'), store.take('b')]).toEqual([undefined, undefined])
    expect([!!store.take('d'), !!store.take('e')]).toEqual([true, true])
    now.mockRestore()
  }))

it('keeps so many, and those that lost their socket last', () =>
  inObject((storage) => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_000_000)
    for (let n = 0; n < 20; n++) {
      now.mockReturnValue(1_000_000 + n)
      // A new process each time.
      createSessionStore(storage, 10, 100).put(`key ${n}`, sessionOf([]), 1_001_000 + n)
    }
    now.mockReturnValue(1_000_100)
    const store = createSessionStore(storage, 10, 100)
    store.put('last', sessionOf([]), 1_001_100)
    expect(rows(storage)).toBe(11)
    expect([0, 9, 10, 19].map((n) => !!store.take(`key ${n}`))).toEqual([false, false, true, true])
    now.mockRestore()
  }))

it('forgets the results that a row has no room for, and knows which may have been among them', () =>
  inObject((storage) => {
    const store = createSessionStore(storage, 10, 1_000)
    const large = (id: number) => [id, answer(`${id}`.padEnd(250_000, '"'))] as [number, ReturnType<typeof answer>]
    // 1 ran long, and ended behind 101.
    store.put('key', sessionOf([large(101), large(1), large(103), large(51)]), Date.now() + 1_000)
    const [row] = storage.sql
      .exec<{ n: number }>('SELECT length(CAST(state AS BLOB)) AS n FROM pairwire_sessions')
      .toArray()
    expect(row!.n).toBeLessThan(2_000_000)
    const results = new Results(store.take('key')!.results, 1e9)
    expect([...results.kept.keys()]).toEqual([51, 103])
    expect([1, 101, 102].map((id) => results.forgot(id))).toEqual([true, true, false])
  }))

it('keeps a row below 2 MB, whatever is in it', () =>
  inObject((storage) => {
    const store = createSessionStore(storage, 10, 1_000)
    for (const text of ['"', '\\', '五', '\u0001', '\ud800', 'é'])
      for (const bytes of [0, 300_000]) {
        const one = answer(JSON.stringify(text.repeat(290_000)).slice(0, 590_000 - bytes), new Uint8Array(bytes))
        store.put('key', sessionOf([[1, one]]), Date.now() + 1_000)
        const { n } = storage.sql
          .exec<{ n: number }>(
            'SELECT length(CAST(state AS BLOB)) + coalesce(length(bytes), 0) AS n FROM pairwire_sessions',
          )
          .one()
        expect([text, bytes, n < 2_000_000]).toEqual([text, bytes, true])
        expect(store.take('key')!.results.kept.get(1)!.answer.text).toBe(one.text)
      }
  }))

it('goes on after deleteAll', () =>
  inObject(async (storage) => {
    const store = createSessionStore(storage, 10, 1_000)
    store.put('key', sessionOf([[1, answer('one')]]), Date.now() + 1_000)
    await storage.deleteAll()
    expect(store.take('key')).toBeUndefined()
    store.put('key', sessionOf([]), Date.now() + 1_000)
    expect(store.take('key')).toBeDefined()
  }))
