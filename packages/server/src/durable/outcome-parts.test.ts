import { expect, it } from 'vitest'
import type { LedgerOutcome } from '../ledger.ts'
import { joinOutcome, splitOutcome } from './outcome-parts.ts'

const outcome = (part: Partial<LedgerOutcome> = {}): LedgerOutcome => ({ kind: 'result', json: '', marks: '', ...part })

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)

/** What a row takes at most: three bytes a character. */
const size = ({ json, marks, bytes }: ReturnType<typeof splitOutcome>[number]) =>
  3 * ((json?.length ?? 0) + (marks?.length ?? 0)) + (bytes?.byteLength ?? 0)

it.each<[string, LedgerOutcome, number]>([
  ['nothing', outcome(), 1],
  ['a small one', outcome({ kind: 'error', json: '{"a":1}', marks: '{"a":["Date"]}', bytes: bytes(3) }), 1],
  ['no bytes, which is not none', outcome({ json: '[0,0]', bytes: bytes(0) }), 1],
  ['a long text', outcome({ json: 'x'.repeat(1_000_000) }), 7],
  ['long marks', outcome({ json: '1', marks: 'x'.repeat(150_001) }), 2],
  ['many bytes', outcome({ json: '1', bytes: bytes(2_000_001) }), 5],
  ['all of it', outcome({ json: 'é'.repeat(300_000), marks: '€'.repeat(450_000), bytes: bytes(500_000) }), 3],
  ['characters of two units, at each border', outcome({ json: `x${'😀'.repeat(400_000)}` }), 6],
])('splits and joins %s', (_, whole, rows) => {
  const parts = splitOutcome(whole)
  expect(parts).toHaveLength(rows)
  for (const part of parts) {
    expect(size(part)).toBeLessThan(1_500_000)
    expect((part.json ?? '').isWellFormed()).toBe(true)
  }
  const joined = joinOutcome(parts)
  // Not by toEqual, which is slow on millions of bytes.
  expect(joined?.kind).toBe(whole.kind)
  expect(joined?.json === whole.json && joined.marks === whole.marks).toBe(true)
  expect(joined?.bytes?.length).toBe(whole.bytes?.length)
  expect(joined?.bytes?.every((byte, i) => byte === whole.bytes![i]) ?? true).toBe(true)
})

it('has bytes of its own', () => {
  const all = bytes(10)
  const [part] = splitOutcome(outcome({ bytes: all.subarray(2, 4) }))
  expect(part!.bytes!.byteLength).toBe(2)
  all.fill(0)
  expect(joinOutcome([part!])!.bytes).toEqual(new Uint8Array([2, 3]))
})

it('knows no outcome of a call that has not ended', () => {
  expect(joinOutcome([{ kind: null, json: null, marks: null, bytes: null }])).toBeUndefined()
  expect(joinOutcome([])).toBeUndefined()
})
