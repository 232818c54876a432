import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createRichCodec, richTypes } from './index.ts'

const codec = createRichCodec(8, richTypes)

it('knows the values of another realm', () => {
  const value = runInNewContext(`({
    list: [1], date: new Date(0), map: new Map([[1, new Set([2n])]]), regexp: /a/g,
    error: new TypeError('no'), bytes: new Uint8Array([7]), bare: Object.create(null),
  })`)
  expect(value.date).not.toBeInstanceOf(Date)
  const { json, marks, bytes } = codec.encode(value)
  const back = codec.decode(JSON.parse(json), JSON.parse(marks!), bytes![0]) as { error: Error }
  expect(back).toStrictEqual({
    list: [1],
    date: new Date(0),
    map: new Map([[1, new Set([2n])]]),
    regexp: /a/g,
    error: expect.any(Error),
    bytes: new Uint8Array([7]),
    bare: {},
  })
  expect([back.error.name, back.error.message]).toEqual(['TypeError', 'no'])
})

it('refuses the classes of another realm', () => {
  const value = runInNewContext('({ thing: new (class Thing {})() })')
  expect(() => codec.encode(value)).toThrow('a Thing (at "thing") is no plain data')
})
