import fc from 'fast-check'
import { expect, it } from 'vitest'
import { binary, openRaw, type Place, sleep } from './place.ts'

const VALID: unknown[][] = [
  [0, 1, '', { window: 1_000, params: { a: 1 } }],
  [2, 1, 'add', { a: 1, b: 2 }],
  [2, 3, 'echo', { at: '2026-01-01T00:00:00.000Z', m: [[1, 2]] }, null, { at: ['Date'], m: ['map'] }],
  [2, 5, 'count', 20, { window: 50, timeout: 500, lastEventId: 'a.1', metadata: { traceparent: '00' } }],
  [2, 7, 'upload', 'fuzz'],
  [2, 9, 'talk'],
  [2, 11, 'sleep', 5],
  [2, 13, 'open', 'fuzz'],
  [2, 15, 'ask.name', 'fuzz'],
  [2, 17, 'throws.declared'],
  [3, 13],
  [4, 9, 'line'],
  [4, 7, [0, 4], [['bytes', 'Uint8Array']]],
  [5, 9],
  [5, 7, { code: 'ABORTED', message: 'x' }],
  [6, 5, 25],
  [6, 9, -25],
  [7, 2, 'answer'],
  [8, 2, { code: 'NOT_FOUND', message: 'x', executed: 'no' }],
  [9, 4, 1, 'a.1'],
  [10, 4],
  [11],
  [12],
  [13, { reason: 'x' }],
]
const JUNK = [
  ...[null, undefined, true, '', 'x', '__proto__', 'constructor', -0, 0, -1, 1.5, 2, 1e21, 2 ** 53, [], {}, [[]]],
  ...[JSON.parse('{"__proto__":{"polluted":1},"length":1e9}'), [['bytes', 'DataView']]],
  ...[{ timeout: 1, window: -1, metadata: { a: 1 } }, { a: ['map', { b: ['set'] }] }, ['undefined'], '9'.repeat(2_000)],
]

/** Calls that wait for what may never come: an object that runs one is not evicted. */
const WAITING: unknown[] = ['upload', 'ask.name', 'sleep']

/** A frame that was valid before something happened to it. */
const frame = (evicts: boolean | undefined): fc.Arbitrary<string | Uint8Array> => {
  const valid = evicts ? VALID.filter(([op, , path]) => op !== 2 || !WAITING.includes(path)) : VALID
  const message = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(6), fc.constantFrom(...JUNK)), { maxLength: 2 }))
    .map(([valid, changes]) => {
      const changed = [...valid]
      for (const [at, junk] of changes) changed[at] = junk
      return changed
    })
  const text = fc.oneof(
    { weight: 5, arbitrary: message.map((message) => JSON.stringify(message)) },
    { weight: 3, arbitrary: fc.array(message, { maxLength: 12 }).map((batch) => JSON.stringify(batch)) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(message, fc.nat(), fc.nat(4), fc.constantFrom('', '[', ']', '"', ',', '\\u0000', '9', '{"":'))
        .map(([message, at, cut, put]) => {
          const json = JSON.stringify(message)
          const from = at % json.length
          return json.slice(0, from) + put + json.slice(from + cut)
        }),
    },
    { weight: 1, arbitrary: fc.string() },
  )
  return fc.oneof(
    { weight: 6, arbitrary: text },
    {
      weight: 2,
      arbitrary: fc.tuple(text, fc.uint8Array({ maxLength: 16 })).map(([text, bytes]) => binary(text, bytes)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  )
}

/** Whatever a client sends: the server lives, and other connections go on. */
export const fuzz = (place: Place, runs: number): void => {
  it.each([1, 2, 3])(`bears ${runs} mutated frames (seed %i)`, async (seed) => {
    const other = await openRaw(place)
    let raw = await openRaw(place)
    let opened = 1
    for (const [i, sent] of fc.sample(frame(place.evicts), { seed, numRuns: runs }).entries()) {
      if (raw.closed) {
        // Only codes of the protocol, and never one that stands for a fault of the server's own.
        expect([i, raw.closed.code]).toEqual([i, expect.toSatisfy((code: number) => code >= 4000 && code < 4100)])
        raw = await openRaw(place)
        opened++
      }
      raw.send(sent)
      // An object that always has something in hand is never evicted.
      if (place.evicts) await sleep(3)
      if (i % 5 === 4) await raw.until(([op, id]) => op === 12 && id === i, 2)
      if (i % 250 === 0) expect([i, await other.alive()]).toEqual([i, true])
    }
    expect(opened).toBeGreaterThan(runs / 50)
    expect(await other.alive()).toBe(true)
    expect(await (await openRaw(place)).alive()).toBe(true)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
}
