import fc from 'fast-check'
import SuperJSON from 'superjson'
import { expect, it } from 'vitest'
import { notate } from '../../../docs/vectors/notation.ts'
import { createRichCodec, richTypes } from './index.ts'

// superjson is the oracle: what it knows and we write, it reads the same, and the other way round.

const DEPTH = 64
const codec = createRichCodec(DEPTH, richTypes)

/** superjson refuses to read these keys, since some programs copy them carelessly; pairwire keeps them as data. */
const REFUSED = ['__proto__', 'constructor', 'prototype']

const key = fc.oneof(
  fc.constantFrom('', '.', 'a.b', '..', '\\', '\\.', 'a\\', '0', '1', 'length', 'toString', 'é', '\ud800'),
  fc.string(),
  fc.string({ unit: fc.constantFrom('.', '\\', 'a', '0') }),
)
const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary' }),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.webUrl().map((url) => new URL(url)),
  fc.constantFrom(/a/g, /[/]\/"\\/imsuy, /(?:)/),
)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(key, tie('value')), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries.filter(([name]) => !REFUSED.includes(name)))),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc
      .record({ message: fc.string(), name: fc.constantFrom('Error', 'TypeError', 'Mine'), cause: tie('value') })
      .map(({ message, name, cause }) =>
        Object.assign(cause === undefined ? new Error(message) : new Error(message, { cause }), { name }),
      ),
    fc.string().map((message) => new RangeError(message)),
  ),
}))

// A cause that is undefined is the same as none: superjson reads every error with one.
const normal = (value: unknown) =>
  JSON.stringify(notate(value), (_, part) =>
    Array.isArray(part) && part[0] === 'error' && part[3]?.[0] === 'undefined' ? part.slice(0, 3) : part,
  )

/**
 * V8 13 and 14 read some escaped keys as a backslash, once an object with the key "\\" has been parsed
 * (https://github.com/nodejs/node/issues/63785). A run in which that happens says nothing about us.
 */
const parse = (text: string) => {
  const json = JSON.parse(text)
  fc.pre(JSON.stringify(json) === text)
  return json
}

const encode = (value: unknown) => {
  const { json, marks, bytes = [] } = codec.encode(value)
  expect(bytes).toHaveLength(0)
  return { json: json ? parse(json) : null, marks: marks ? parse(marks) : json ? undefined : ['undefined'] }
}

it('writes what superjson reads', () => {
  fc.assert(
    fc.property(value, (value) => {
      const { json, marks } = encode(value)
      const read = SuperJSON.deserialize({ json, ...(marks && { meta: { values: marks, v: 1 } }) })
      expect(normal(read)).toBe(normal(value))
    }),
    { numRuns: 300 },
  )
})

it('reads what superjson writes', () => {
  fc.assert(
    fc.property(value, (value) => {
      const { json, meta } = parse(SuperJSON.stringify(value))
      fc.pre(!meta?.referentialEqualities)
      expect(normal(codec.decode(json, meta?.values, undefined))).toBe(normal(value))
    }),
    { numRuns: 300 },
  )
})

it('writes the very marks that superjson writes', () => {
  fc.assert(
    fc.property(value, (value) => {
      const theirs = parse(SuperJSON.stringify(value))
      fc.pre(!theirs.meta?.referentialEqualities)
      const { json, marks } = encode(value)
      expect(json).toEqual(theirs.json)
      expect(marks).toEqual(theirs.meta?.values)
    }),
    { numRuns: 300 },
  )
})

it('reads what it writes', () => {
  fc.assert(
    fc.property(value, (value) => {
      const { json, marks } = encode(value)
      expect(normal(codec.decode(json, marks, undefined))).toBe(normal(value))
    }),
    { numRuns: 300 },
  )
})

it('differs in two things: keys of prototypes are data, and what is shared is sent twice', () => {
  const keys = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"prototype":3}')
  expect(() => SuperJSON.serialize({ ...keys, at: new Date(0) })).toThrow()
  const { json, marks } = encode({ constructor: 2, prototype: 3, at: new Date(0) })
  expect(codec.decode(json, marks, undefined)).toEqual({ constructor: 2, prototype: 3, at: new Date(0) })

  const shared = { at: new Date(0) }
  expect(SuperJSON.serialize([shared, shared]).meta?.referentialEqualities).toBeDefined()
  const twice = encode([shared, shared])
  expect(twice).toEqual({
    json: [{ at: '1970-01-01T00:00:00.000Z' }, { at: '1970-01-01T00:00:00.000Z' }],
    marks: { '0.at': ['Date'], '1.at': ['Date'] },
  })
})
