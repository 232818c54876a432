import { expect, it } from 'vitest'
import frames from '../../../docs/vectors/frames.json' with { type: 'json' }
import { build, frameOf, fromHex, type LongFrame, notate, toHex } from '../../../docs/vectors/notation.ts'
import values from '../../../docs/vectors/values.json' with { type: 'json' }
import { joinFrame } from './bytes.ts'
import { compose, createRichCodec, type Encoded, LIMITS, ProtocolError, parseFrame, richTypes } from './index.ts'

interface ValueCase {
  name: string
  value?: unknown
  json?: string
  marks?: string
  bytes?: string
  decodeOnly?: boolean
}
interface FrameCase extends LongFrame {
  name: string
  text?: string
  messages?: unknown[][]
  count?: number
  bytes?: string
  close?: number
}

const codec = createRichCodec(LIMITS.depth, richTypes)
const parse = (text: string | undefined) => (text === undefined ? undefined : JSON.parse(text))

const joined = ({ bytes = [] }: Encoded) => bytes.map(toHex).join('')

/** What comes out of the other end of a socket. */
const travel = (encoded: Encoded) => {
  const text = compose('7,1', encoded)
  const frame = encoded.bytes ? joinFrame(text, encoded.bytes).buffer : text
  const { messages, bytes } = parseFrame(frame, LIMITS, codec)
  return codec.decode(messages[0]![2], messages[0]![3], bytes)
}

for (const { name, value, json, marks, bytes, decodeOnly } of values.good as ValueCase[]) {
  it(`decodes ${name}`, () => {
    const decoded = codec.decode(parse(json), parse(marks), bytes === undefined ? undefined : fromHex(bytes))
    expect(notate(decoded)).toEqual(value)
  })
  if (!decodeOnly)
    it(`encodes ${name}`, () => {
      const encoded = codec.encode(build(value))
      expect(encoded.json || undefined).toBe(json)
      expect(parse(encoded.marks || undefined)).toEqual(parse(marks))
      expect(joined(encoded)).toBe(bytes ?? '')
      expect(notate(travel(encoded))).toEqual(value)
    })
}

for (const { name, json, marks, bytes } of values.bad as ValueCase[])
  it(`refuses ${name}`, () => {
    const read = () => codec.decode(parse(json), parse(marks), bytes === undefined ? undefined : fromHex(bytes))
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no' }))
    expect(({} as any).polluted).toBeUndefined()
    expect(([] as any).polluted).toBeUndefined()
    expect(Object.hasOwn(Object.prototype, 'toString')).toBe(true)
  })

for (const frame of frames.good as FrameCase[])
  it(`takes apart ${frame.name}`, () => {
    const { messages, bytes } = parseFrame(frameOf(frame.text ?? frame), LIMITS, codec)
    expect(messages).toHaveLength(frame.count ?? frame.messages!.length)
    if (frame.messages) expect(messages).toEqual(frame.messages)
    expect(bytes && toHex(bytes)).toBe(frame.bytes)
    if (frame.bytes !== undefined) {
      const text = new TextDecoder().decode(fromHex(frame.hex!).slice(4)).slice(0, -frame.bytes.length / 2 || undefined)
      expect(toHex(joinFrame(JSON.stringify(JSON.parse(text)), [fromHex(frame.bytes)]))).toBe(frame.hex)
    }
  })

for (const frame of frames.bad as FrameCase[])
  it(`closes for ${frame.name}`, () => {
    const caught = (() => {
      try {
        return parseFrame(frameOf(frame.text ?? frame), LIMITS, codec)
      } catch (error) {
        return error
      }
    })()
    expect(caught).toBeInstanceOf(ProtocolError)
    expect((caught as ProtocolError).code).toBe(frame.close)
  })
