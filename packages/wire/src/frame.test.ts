import { describe, expect, it } from 'vitest'
import { ProtocolError } from './close.ts'
import { jsonCodec } from './codec.ts'
import { compose, createRichCodec, parseFrame, richTypes } from './index.ts'

describe('compose', () => {
  it.each([
    // Without a field between value and marks.
    [{ json: '' }, undefined, '[7,1]'],
    [{ json: '5' }, undefined, '[7,1,5]'],
    [{ json: '5', marks: '' }, undefined, '[7,1,5]'],
    [{ json: 'null' }, undefined, '[7,1,null]'],
    [{ json: '""' }, undefined, '[7,1,""]'],
    [{ json: '"7"', marks: '["bigint"]' }, undefined, '[7,1,"7",["bigint"]]'],
    // With one that is not there.
    [{ json: '' }, '', '[7,1]'],
    [{ json: '5' }, '', '[7,1,5]'],
    [{ json: '5', marks: '' }, '', '[7,1,5]'],
    [{ json: '"7"', marks: '["bigint"]' }, '', '[7,1,"7",null,["bigint"]]'],
    // With one that is.
    [{ json: '' }, '"e.1"', '[7,1,null,"e.1",["undefined"]]'],
    [{ json: '5' }, '"e.1"', '[7,1,5,"e.1"]'],
    [{ json: '5', marks: '' }, '"e.1"', '[7,1,5,"e.1"]'],
    [{ json: '"7"', marks: '["bigint"]' }, '"e.1"', '[7,1,"7","e.1",["bigint"]]'],
  ])('writes %o with %o between as %s', (encoded, between, text) => {
    expect(compose('7,1', encoded, between)).toBe(text)
  })

  const codec = createRichCodec(64, richTypes)
  it.each([undefined, null, 0, '', 7n, { a: undefined }, [new Date(0)]])('is undone by parsing: %o', (value) => {
    for (const between of [undefined, '', '"e.1"']) {
      const { messages } = parseFrame(compose('7,1', codec.encode(value), between), { message: 100 }, codec)
      const [op, id, json, ...rest] = messages[0]!
      const marks = between === undefined ? rest[0] : rest[1]
      expect([op, id, codec.decode(json, marks, undefined)]).toStrictEqual([7, 1, value])
      if (between && value !== undefined) expect(rest[0]).toBe('e.1')
    }
  })
})

describe('parseFrame', () => {
  const rich = createRichCodec(64, richTypes)
  const limits = { message: 1_000, batch: 3 }
  const closing = (code: number) => expect.objectContaining({ code })

  it('weighs a text by its characters, and a binary frame by its bytes', () => {
    expect(parseFrame('["é",1]', limits, rich)).toEqual({ messages: [['é', 1]], bytes: undefined, size: 7 })
    const binary = new Uint8Array([0, 0, 0, 3, ...new TextEncoder().encode('[7]'), 1, 2])
    expect(parseFrame(binary.buffer, limits, rich)).toEqual({
      messages: [[7]],
      bytes: new Uint8Array([1, 2]),
      size: 9,
    })
  })

  it('takes a text of a message and its envelope, and refuses a longer one with 4004', () => {
    const text = (length: number) => `["${'x'.repeat(length - 4)}"]`
    expect(parseFrame(text(1_000 + 65_536), limits, rich).size).toBe(66_536)
    const read = () => parseFrame(text(1_000 + 65_537), limits, rich)
    expect(read).toThrow(ProtocolError)
    expect(read).toThrow(closing(4004))
  })

  it('takes four times as much in a binary frame, whose text has up to three bytes a character', () => {
    const frame = (length: number) => {
      const bytes = new Uint8Array(length)
      bytes.set([0, 0, 0, 3, ...new TextEncoder().encode('[7]')])
      return bytes.buffer
    }
    expect(parseFrame(frame(4_000 + 65_536), limits, rich).size).toBe(69_536)
    expect(() => parseFrame(frame(4_000 + 65_537), limits, rich)).toThrow(closing(4004))
  })

  it('looks at the size before the text', () => {
    expect(() => parseFrame('{'.repeat(70_000), limits, rich)).toThrow(closing(4004))
  })

  it('takes as many messages as a batch may have, where it is limited', () => {
    expect(parseFrame('[[1],[2],[3]]', limits, rich).messages).toEqual([[1], [2], [3]])
    expect(() => parseFrame('[[1],[2],[3],[4]]', limits, rich)).toThrow(closing(4000))
    expect(parseFrame('[[1],[2],[3],[4]]', { message: 1_000 }, rich).messages).toHaveLength(4)
  })

  it('refuses bytes where the codec has none', () => {
    expect(() => parseFrame(new ArrayBuffer(8), limits, jsonCodec)).toThrow(closing(4000))
  })
})
