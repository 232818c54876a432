import { createRichCodec, DEPTH, richTypes } from '@pairwire/wire'
import { expect, it } from 'vitest'
import { loadEvent, storeEvent } from './stored-event.ts'

const codec = createRichCodec(DEPTH, richTypes)

it('is plain JSON where that is all there is, and weighs what it takes in UTF-8', () => {
  expect(storeEvent(codec, { a: 'é😀' })).toEqual({ json: '{"a":"é😀"}', marks: null, bytes: null, size: 32 + 14 })
  expect(storeEvent(codec, undefined)).toEqual({ json: '', marks: null, bytes: null, size: 32 })
})

it('weighs marks and bytes too', () => {
  const { json, marks, bytes, size } = storeEvent(codec, [new Uint8Array(100), new Uint8Array(50).fill(1), new Date(0)])
  expect(bytes).toEqual(new Uint8Array(150).fill(1, 100))
  expect(size).toBe(32 + json.length + marks!.length + 150)
})

it('holds no memory of who published it, and gives none away that it holds', () => {
  const bytes = new Uint8Array([1, 2, 3])
  const stored = storeEvent(codec, { bytes })
  bytes[0] = 9
  const first = loadEvent(codec, stored) as { bytes: Uint8Array }
  expect(first).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
  first.bytes[0] = 9
  expect(loadEvent(codec, stored)).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
})

it('says so where it cannot be read', () => {
  for (const wrong of [{ json: '{' }, { json: '1', marks: '["point"]' }, { json: '1', marks: '{' }])
    expect(() => loadEvent(codec, { marks: null, bytes: null, size: 1, ...wrong })).toThrow('cannot be read')
})
