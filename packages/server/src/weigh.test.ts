import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { weigh } from './weigh.ts'

const boom = () => {
  throw new Error('touched')
}
const hostile = (target: object) =>
  new Proxy(target, Object.fromEntries(Reflect.ownKeys(Reflect).map((trap) => [trap, boom])))

/** What a value weighs beyond another. */
const over = (value: unknown, other: unknown) => weigh(value) - weigh(other)

describe('weigh', () => {
  it('counts two bytes for each character', () => {
    expect(over('x'.repeat(1_000), '')).toBe(2_000)
    expect(over({ text: 'x'.repeat(1_000) }, { text: '' })).toBe(2_000)
    expect(over({ ['x'.repeat(1_000)]: 1 }, { '': 1 })).toBe(2_000)
    expect(over([['x'.repeat(1_000)]], [['']])).toBe(2_000)
  })

  it('counts the bytes of what is made of bytes: all that a view keeps', () => {
    for (const make of [
      (n: number) => new Uint8Array(n),
      (n: number) => new ArrayBuffer(n),
      (n: number) => new DataView(new ArrayBuffer(n)),
      (n: number) => new Uint8Array(new ArrayBuffer(n), 0, 0),
    ]) {
      expect(over(make(100_000), make(0))).toBe(100_000)
    }
  })

  it('counts what a map and a set hold, and large numbers', () => {
    const text = 'x'.repeat(1_000)
    expect(over(new Map([[text, 1]]), new Map([['', 1]]))).toBe(2_000)
    expect(over(new Map([[1, text]]), new Map([[1, '']]))).toBe(2_000)
    expect(over(new Set([text]), new Set(['']))).toBe(2_000)
    expect(weigh(1n << 80_000n)).toBeGreaterThan(9_000)
    expect(weigh(-1n)).toBeLessThan(32)
  })

  it('gives every value some weight, and a larger one more', () => {
    const values = [undefined, null, true, 0, 'x', 1n, Symbol.iterator, boom, {}, [], new Date(), new Map(), /x/]
    for (const value of values) expect(weigh(value)).toBeGreaterThan(0)
    expect(over([1, 2], [1])).toBeGreaterThan(0)
    expect(over({ a: 1, b: 2 }, { a: 1 })).toBeGreaterThan(0)
    expect(over([{}], [1])).toBeGreaterThan(0)
  })

  it('is near the length of the JSON of what is JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { length } = JSON.stringify(value)
        // JSON escapes what is one character, up to six to one; an object in memory takes more than its two braces.
        expect(weigh(value)).toBeGreaterThanOrEqual(length / 3)
        expect(weigh(value)).toBeLessThanOrEqual(34 * length)
      }),
    )
  })

  it('estimates what is large by a part of it, from all along it', () => {
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, text: 'x'.repeat(id < 50_000 ? 0 : 200) }))
    const each = (weigh([rows[0]]) + weigh([rows[99_999]])) / 2 - weigh([])
    const expected = each * rows.length
    const keyed = Object.fromEntries(rows.map((row) => [String(row.id), row]))
    for (const large of [rows.map(({ text }) => text), rows.map(({ text }) => ({ text })), keyed]) {
      expect(weigh(large)).toBeGreaterThan(expected / 3)
      expect(weigh(large)).toBeLessThan(expected * 3)
    }
    expect(weigh(new Set(rows))).toBeGreaterThan(100_000 * 20)
    expect(weigh(new Map(rows.map((row) => [row.id, row])))).toBeGreaterThan(100_000 * 20)
  })

  it('looks at no more than a few thousand parts', () => {
    const touched = vi.fn()
    const part = () =>
      Object.defineProperty({}, 'part', {
        enumerable: true,
        get: () => {
          touched()
          return { a: part(), b: part() }
        },
      })
    weigh(part())
    weigh(Array.from({ length: 100_000 }, part))
    weigh(Array.from({ length: 100 }, () => Array.from({ length: 100 }, part)))
    expect(touched.mock.calls.length).toBeLessThan(6_000)
  })

  it('goes round no circle, and not down to the ground of a well', () => {
    const circle: Record<string, unknown> = { name: 'circle' }
    for (const name of ['a', 'b', 'c']) circle[name] = circle
    // Rows that know their table, which is how most circles come about.
    const table: object[] = []
    for (let n = 0; n < 100; n++) table.push({ table, n })
    let well: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) well = [well]
    for (const value of [circle, well]) {
      expect(weigh(value)).toBeGreaterThan(0)
      expect(weigh(value)).toBeLessThan(10_000)
    }
    expect(over(table, [])).toBeGreaterThan(100 * weigh({ n: 1 }))
    expect(over(table, [])).toBeLessThan(200 * weigh({ table: 1, n: 1 }))
  })

  it('does not throw at what does, and weighs what is beside it', () => {
    const text = 'x'.repeat(1_000)
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const getter = Object.defineProperty({}, 'a', { get: boom, enumerable: true })
    for (const value of [
      hostile({}),
      hostile([]),
      hostile(boom),
      hostile(new Map()),
      hostile(new Date()),
      proxy,
      getter,
    ])
      for (const beside of [
        [value, text],
        { value, text },
        new Set([value, text]),
        new Map([
          [value, text],
          [text, value],
        ]),
      ]) {
        expect(weigh(beside)).toBeGreaterThan(2_000)
        expect(weigh(beside)).toBeLessThan(6_000)
      }
  })

  it('is a whole number that adds up, whatever a value claims to be', () => {
    for (const length of [Number.NaN, Infinity, -1, 2 ** 53, 1e308, '5', null, {}, 5n, Symbol.iterator]) {
      const liar = new Proxy([], { get: (_, key) => (key === 'length' ? length : liar) })
      const weight = weigh([liar, 'x'])
      expect(Number.isSafeInteger(weight * 1_000)).toBe(true)
      expect(weight).toBeGreaterThan(0)
    }
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true }), (value) => {
        expect(Number.isSafeInteger(weigh(value))).toBe(true)
      }),
    )
  })
})
