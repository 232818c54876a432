import { expect, it } from 'vitest'
import { createJsonOnlyCodec } from './json-only.ts'

const codec = createJsonOnlyCodec(4)

it.each([5, 'text', null, true, [1, [2]], { a: { b: 'c' } }])('writes %o, which is plain', (value) => {
  expect(codec.encode(value)).toEqual({ json: JSON.stringify(value) })
})

it('leaves off undefined, as JSON does', () => {
  expect(codec.encode(undefined)).toEqual({ json: '' })
  expect(codec.encode({ a: undefined, b: [undefined] })).toEqual({ json: '{"b":[null]}' })
})

it.each<[string, unknown]>([
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['a bigint', 5n],
  ['a number', Number.NaN],
  ['a number', -0],
  ['a URL', new URL('https://a.example')],
  ['a RegExp', /a/],
  ['a Error', new Error('no')],
  ['a function', () => {}],
])('refuses %s, and says where: %o', (name, value) => {
  expect(() => codec.encode(value)).toThrow(`${name} is no plain data`)
  expect(() => codec.encode({ list: [value] })).toThrow(`${name} (at "list.0") is no plain data`)
})

it('refuses bytes', () => {
  for (const value of [new Uint8Array(1), { a: [new ArrayBuffer(1)] }, [undefined, new DataView(new ArrayBuffer(1))]])
    expect(() => codec.encode(value)).toThrow('bytes cannot be sent')
})

it('writes and reads no deeper than it is told', () => {
  const deep = [[[[1]]]]
  expect(codec.decode(JSON.parse(codec.encode(deep).json), undefined, undefined)).toEqual(deep)
  expect(() => codec.encode([deep])).toThrow('deeper')
  expect(() => codec.encode([undefined, deep])).toThrow('deeper')
  expect(() => codec.decode([deep], undefined, undefined)).toThrow('deeper')
})

it('reads plain JSON, with the mark of an input that is not there and no other', () => {
  expect(codec.decode({ a: [1] }, undefined, undefined)).toEqual({ a: [1] })
  expect(codec.decode(null, ['undefined'], undefined)).toBeUndefined()
  for (const marks of [['Date'], ['map'], [['bytes', 'Uint8Array']], { a: ['bigint'] }, null])
    expect(() => codec.decode({ a: '5' }, marks, new Uint8Array(8))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
})

it('says its name, and takes no binary frames', () => {
  expect(codec.name).toBe('json')
  expect([codec.split, codec.join]).toEqual([undefined, undefined])
})
