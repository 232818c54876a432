import { expect, it } from 'vitest'
import { createRichCodec, richTypes } from './index.ts'

const codec = createRichCodec(8, richTypes)

class Thing {
  a = 1
}
const circular: unknown[] = []
circular.push(circular)

it.each<[string, unknown]>([
  ['a function is no plain data', () => {}],
  ['a symbol is no plain data', Symbol('s')],
  ['a Thing is no plain data', new Thing()],
  ['a Thing (at "thing") is no plain data', { fine: 1, thing: new Thing() }],
  ['a function (at "list.1.run") is no plain data', { list: [{}, { run() {} }] }],
  ['a symbol (at "a\\.b.c\\\\d") is no plain data', { 'a.b': { 'c\\d': Symbol('s') } }],
  ['a Promise (at "map.0.1") is no plain data', { map: new Map([['key', Promise.resolve()]]) }],
  ['a Number (at "0") is no plain data', [Object(5)]],
  ['a WeakMap (at "cause") is no plain data', new Error('why', { cause: new WeakMap() })],
  ['deeper than 8 levels (at "0.0.0.0.0.0.0.0")', circular],
])('says "%s"', (message, value) => {
  expect(() => codec.encode(value)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no', message: expect.stringContaining(message) }),
  )
})

it('lets out what a getter throws, plain or not', () => {
  const bad = {
    get a(): never {
      throw new Error('mine')
    },
  }
  for (const value of [bad, [new Date(0), bad], new Map([[1, bad]])]) expect(() => codec.encode(value)).toThrow('mine')
})

it('takes what a getter gives', () => {
  const value = {
    get at() {
      return new Date(0)
    },
  }
  expect(codec.encode(value)).toEqual({ json: '{"at":"1970-01-01T00:00:00.000Z"}', marks: '{"at":["Date"]}' })
})

it('asks a getter beside rich values for what it sends', () => {
  let asked = 0
  const turns = {
    get turn() {
      return [asked++, new Date(0)][asked % 2]
    },
  }
  const { json, marks } = codec.encode([new Date(0), turns, { a: turns }])
  expect(JSON.parse(json)).toEqual(['1970-01-01T00:00:00.000Z', { turn: expect.any(String) }, { a: { turn: 1 } }])
  expect(JSON.parse(marks!)).toEqual({ 0: ['Date'], '1.turn': ['Date'] })
})

it('writes plain data without marks, and leaves what it was given as it was', () => {
  expect(codec.encode({ a: [1, 'x', null, true] })).toEqual({ json: '{"a":[1,"x",null,true]}' })
  const value = { at: new Date(0), set: new Set([1]), list: [undefined] }
  const before = structuredClone(value)
  codec.encode(value)
  expect(value).toStrictEqual(before)
})

it('takes objects without a prototype, whose keys are data', () => {
  const value = Object.assign(Object.create(null), { constructor: 5, at: new Date(0) })
  const { json, marks } = codec.encode(value)
  expect(codec.decode(JSON.parse(json), JSON.parse(marks!), undefined)).toEqual({ constructor: 5, at: new Date(0) })
})

it('fills the holes of a list with undefined', () => {
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point
  const { json, marks } = codec.encode([1, , 3])
  expect(json).toBe('[1,null,3]')
  expect(codec.decode(JSON.parse(json), JSON.parse(marks!), undefined)).toStrictEqual([1, undefined, 3])
})

it('takes subclasses for what they extend', () => {
  class Tags extends Set {}
  class Moment extends Date {}
  class Bytes extends Uint8Array {}
  const { json, marks, bytes } = codec.encode([new Tags([1]), new Moment(0), new Bytes([7])])
  expect(codec.decode(JSON.parse(json), JSON.parse(marks!), bytes![0])).toStrictEqual([
    new Set([1]),
    new Date(0),
    new Uint8Array([7]),
  ])
})

it('does not take for bytes or a Map what only has their tag', () => {
  expect(codec.encode({ [Symbol.toStringTag]: 'Map', a: 1 })).toEqual({ json: '{"a":1}' })
  for (const tag of ['Map', 'Uint8Array'])
    expect(codec.encode([{ [Symbol.toStringTag]: tag, a: 1 }, undefined]).json).toBe('[{"a":1},null]')
})

it('counts the levels of plain and of rich values alike', () => {
  const nested = (leaf: unknown, levels: number) => {
    let value = leaf
    for (let i = 0; i < levels; i++) value = i % 2 ? { value } : [value]
    return value
  }
  for (const leaf of [0, new Date(0)]) {
    expect(() => codec.encode(nested(leaf, 8))).not.toThrow()
    expect(() => codec.encode(nested(leaf, 9))).toThrow('deeper than 8 levels')
  }
  expect(() => codec.encode(nested(new Set(), 8))).toThrow('deeper than 8 levels')
})

it('tells the places of neighbours apart, whatever is in their keys', () => {
  const at = new Date(0)
  const value = {
    a: { b: at, 'b.c': at, c: at, 'c\\': at },
    'a.b': at,
    'a.c': at,
    '': { '': at, d: at },
    '.': { d: at },
  }
  const { json, marks } = codec.encode(value)
  expect(codec.decode(JSON.parse(json), JSON.parse(marks!), undefined)).toStrictEqual(value)
})

it.each<[string, unknown, object]>([
  ['a RegExp', '/a/', { 'x.lastIndex': ['undefined'] }],
  ['an Error', { name: 'Error', message: '0' }, { 'x.message': ['bigint'] }],
  ['a Date', '1970-01-01T00:00:00.000Z', { 'x.y': ['undefined'] }],
  ['bytes', [0, 1], { 'x.0': ['undefined'] }],
])('leads no path into what a mark before it has made: %s', (name, x, inside) => {
  const types = { RegExp: 'regexp', Error: 'Error', Date: 'Date', bytes: ['bytes', 'Uint8Array'] }
  const mark = types[name.split(' ').at(-1) as 'Date']
  const read = () => codec.decode({ x }, { x: [mark], ...inside }, new Uint8Array(1))
  expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

it('holds the memory of its user until it is told to keep the bytes', () => {
  const mine = new Uint8Array([1, 2, 3])
  const encoded = codec.encode({ mine, part: mine.subarray(1) })
  expect([encoded.length, encoded.bytes![0]!.buffer]).toEqual([5, mine.buffer])
  codec.keep!(encoded)
  mine.fill(9)
  expect(encoded.bytes).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([2, 3])])
})

it('holds the memory of its frame once it was joined, and can be joined again', () => {
  const mine = new Uint8Array([1, 2, 3])
  const encoded = codec.encode([mine, mine.subarray(1)])
  const frame = codec.join!(encoded.json, encoded.bytes!).slice()
  mine.fill(9)
  expect(codec.join!(encoded.json, encoded.bytes!)).toEqual(frame)
  expect(codec.split!(frame.buffer)!.bytes).toEqual(new Uint8Array([1, 2, 3, 2, 3]))
})

it('keeps what has no bytes', () => {
  const encoded = codec.encode({ a: 1 })
  codec.keep!(encoded)
  expect(encoded).toEqual({ json: '{"a":1}' })
})

it('makes bytes that are not the memory of their frame', () => {
  const frame = new Uint8Array([1, 2, 3, 4])
  const bytes = codec.decode([1, 2], [['bytes', 'Uint8Array']], frame) as Uint8Array
  frame.fill(9)
  expect([[...bytes], bytes.buffer.byteLength]).toEqual([[2, 3], 2])
})
