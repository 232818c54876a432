import { createRichCodec, richTypes } from '@pairwire/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digest } from './digest.ts'

const codec = createRichCodec(64, richTypes)
const of = (value: unknown) => digest(codec.encode(value))

it('is the same in every runtime and version: ledgers keep it', () => {
  expect(digest({ json: '' })).toBe('0.0.0.488bdcb81aee8d83a650c329583afc3b')
  expect(digest({ json: '{"a":1}', marks: '', bytes: [] })).toBe('7.0.0.de3034b77cc1d846ff3b351f2869120b')
  expect(digest({ json: '[0,3]', marks: '["bytes"]', bytes: [new Uint8Array([1, 2, 255])] })).toBe(
    '5.9.3.fa08822498bdc81bd2fe856d3436d597',
  )
})

it('begins with cyrb53 as others compute it, with all of its bits', () => {
  expect(digest({ json: 'a' })).toMatch(/^1\.0\.0\.501c2ba782c97901/)
  expect(digest({ json: 'b' })).toMatch(/^1\.0\.0\.459eda5bc254d2bf/)
})

it('takes marks and bytes that are not there for empty ones', () => {
  expect(digest({ json: '1' })).toBe(digest({ json: '1', marks: '', bytes: [] }))
  expect(digest({ json: '1' })).toBe(digest({ json: '1', bytes: [new Uint8Array()] }))
})

it('reads bytes as one, however they are cut', () => {
  const cut = (...parts: number[][]) => digest({ json: '', bytes: parts.map((part) => new Uint8Array(part)) })
  expect(cut([1, 2, 3])).toBe(cut([1], [2, 3]))
  expect(cut([1, 2, 3])).not.toBe(cut([1, 3, 2]))
})

it('knows where text, marks and bytes end', () => {
  const byte = 'c'.charCodeAt(0)
  const same = [
    digest({ json: 'abc' }),
    digest({ json: 'ab', marks: 'c' }),
    digest({ json: 'a', marks: 'bc' }),
    digest({ json: 'ab', bytes: [new Uint8Array([byte])] }),
    digest({ json: 'a', marks: 'b', bytes: [new Uint8Array([byte])] }),
  ]
  expect(new Set(same).size).toBe(same.length)
})

it('tells values apart that look alike', () => {
  const values = [
    undefined,
    null,
    0,
    -0,
    '',
    '0',
    [],
    {},
    [undefined],
    [null],
    new Map(),
    new Set(),
    5,
    5n,
    '5',
    new Date(0),
    new Date(0).toJSON(),
    new Uint8Array([1]),
    new Int8Array([1]),
    new Uint8Array([2]),
    new Uint8Array([1]).buffer,
    { a: 1 },
    { b: 1 },
    { a: { b: 1 } },
    [[], []],
    [[[]]],
  ]
  expect(new Set(values.map(of)).size).toBe(values.length)
})

it('changes with every unit of a long text, and with every bit of it', () => {
  const text = Array.from({ length: 2_000 }, (_, i) => String.fromCharCode(32 + ((i * 37) % 90))).join('')
  const seen = new Set([digest({ json: text })])
  for (let i = 0; i < text.length; i++)
    for (let bit = 1; bit < 65_536; bit *= 4)
      seen.add(digest({ json: text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ bit) + text.slice(i + 1) }))
  expect(seen.size).toBe(1 + 2_000 * 8)
})

it('has no collision in 50,000 close neighbours, not even in one half', () => {
  const [first, second] = [new Set<string>(), new Set<string>()]
  for (let i = 0; i < 50_000; i++) {
    const hex = digest({ json: `{"amount":${i},"to":"${(i * 7_919) % 100_003}"}` }).split('.')[3]!
    first.add(hex.slice(0, 16))
    second.add(hex.slice(16))
  }
  expect([first.size, second.size]).toEqual([50_000, 50_000])
})

it('spreads over all of its bits', () => {
  const ones = new Array<number>(128).fill(0)
  for (let i = 0; i < 4_000; i++) {
    const bits = BigInt(`0x${digest({ json: `${i}` }).split('.')[3]}`)
    for (let bit = 0; bit < 128; bit++) if ((bits >> BigInt(bit)) & 1n) ones[bit]!++
  }
  // Half of them each, within six standard deviations.
  for (const count of ones) expect(Math.abs(count - 2_000)).toBeLessThan(190)
})

it('is one and the same for equal values, and takes any text', () => {
  const part = fc.record({ json: fc.string({ unit: 'binary' }), marks: fc.string(), bytes: fc.array(fc.uint8Array()) })
  fc.assert(
    fc.property(part, part, (a, b) => {
      const flat = ({ json, marks, bytes }: typeof a) => JSON.stringify([json, marks, bytes.flatMap((one) => [...one])])
      expect(digest(a)).toBe(digest(structuredClone(a)))
      expect(digest(a) === digest(b)).toBe(flat(a) === flat(b))
    }),
  )
})
