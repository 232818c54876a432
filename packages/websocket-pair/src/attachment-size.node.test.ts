import { serialize } from 'node:v8'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { serializedSize } from './attachment-size.ts'

// workerd's small integers have 31 bits and Node's 32: between the two they write different formats
const SMALL = 2 ** 30 - 1

const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null), fc.bigInt(), fc.date())

// Buffers and views are measured in the conformance suite: node:v8 writes them in a way of its own.
it('counts what V8 writes for plain data', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('any')),
      fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), fc.nat(SMALL).map(String)), tie('any')),
      fc.array(fc.tuple(fc.string(), tie('any'))).map((entries) => new Map(entries)),
      fc.array(tie('any')).map((items) => new Set(items)),
    ),
  })).any
  fc.assert(
    fc.property(value, (sample) => {
      expect(serializedSize(structuredClone(sample))).toBe(serialize(packed(sample)).length)
    }),
    { numRuns: 2000 },
  )
})

// Apart from the others: V8 may hold an integer as a double, as in an object whose shape once had one, and writes it so.
it('counts what V8 writes for numbers', () => {
  const small = [0, 1, -1, 63, 64, -64, -65, 1000, -1000, SMALL, -SMALL]
  for (const value of [...small, small, 1.5, -0, Number.NaN, 2 ** 40, [1.5, 2, 3], [1.5, 'x', 2.5], { size: 0.1 }]) {
    expect(serializedSize(structuredClone(value))).toBe(serialize(value).length)
  }
})

/** A copy whose arrays V8 holds without holes: only those are written densely, which cannot be told from outside. */
function packed(value: unknown): unknown {
  if (Array.isArray(value)) return [...value.map(packed).values()]
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, packed(item)]))
  if (value instanceof Set) return new Set([...value].map(packed))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, packed(item)]))
}
