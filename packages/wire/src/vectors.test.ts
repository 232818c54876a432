import { expect, it } from 'vitest'
import frames from '../../../docs/vectors/frames.json' with { type: 'json' }
import values from '../../../docs/vectors/values.json' with { type: 'json' }
import { joinFrame } from './bytes.ts'
import { createRichCodec, type Encoded, LIMITS, ProtocolError, parseFrame, richTypes } from './index.ts'

interface ValueCase {
  name: string
  value?: unknown
  json?: string
  marks?: string
  bytes?: string
  decodeOnly?: boolean
}
interface FrameCase {
  name: string
  text?: string
  hex?: string
  repeat?: { before: string; text: string; times: number; between: string; after: string }
  messages?: unknown[][]
  count?: number
  bytes?: string
  close?: number
}

/** What the code does not do yet. A case that does what it should fails here: take it off the list. */
const KNOWN = [
  'refuses an unknown composite type',
  'refuses a class nobody registered',
  'refuses a symbol nobody registered',
  'refuses a custom type nobody registered',
  "refuses superjson's typed array",
  'refuses parts that are together longer than the bytes',
  'refuses half a byte',
]

const codec = createRichCodec(LIMITS.depth, richTypes())
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const toBytes = (value: ArrayBuffer | ArrayBufferView) =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
const parse = (text: string | undefined) => (text === undefined ? undefined : JSON.parse(text))
const test = (name: string, run: () => void) => (KNOWN.includes(name) ? it.fails(name, run) : it(name, run))

/** A value in the neutral notation of the vectors. */
const build = (notation: any): unknown => {
  if (!Array.isArray(notation)) return notation
  const [type, ...rest] = notation
  switch (type) {
    case 'array':
      return rest.map(build)
    case 'object': {
      const object = {}
      for (const [key, value] of rest)
        Object.defineProperty(object, key, {
          value: build(value),
          enumerable: true,
          writable: true,
          configurable: true,
        })
      return object
    }
    case 'units':
      return String.fromCharCode(...rest)
    case 'undefined':
      return undefined
    case 'number':
      return Number(rest[0])
    case 'bigint':
      return BigInt(rest[0])
    case 'date':
      return new Date(rest[0] ?? Number.NaN)
    case 'map':
      return new Map(rest.map(([key, value]) => [build(key), build(value)]))
    case 'set':
      return new Set(rest.map(build))
    case 'url':
      return new URL(rest[0])
    case 'regexp':
      return new RegExp(rest[0], rest[1])
    case 'error':
      return Object.assign(new Error(rest[1], rest.length > 2 ? { cause: build(rest[2]) } : {}), { name: rest[0] })
    case 'bytes': {
      const { buffer } = fromHex(rest[1])
      return rest[0] === 'ArrayBuffer' ? buffer : new (globalThis as any)[rest[0]](buffer)
    }
  }
  throw new Error(`the vectors have no notation "${type}"`)
}

/** The neutral notation of a value: what two values are compared by, since no two test libraries agree on equal. */
const notate = (value: unknown): unknown => {
  if (typeof value === 'string' && !value.isWellFormed())
    return ['units', ...Array.from({ length: value.length }, (_, at) => value.charCodeAt(at))]
  if (value === undefined) return ['undefined']
  if (typeof value === 'bigint') return ['bigint', `${value}`]
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return ['number', Object.is(value, -0) ? '-0' : `${value}`]
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return ['array', ...value.map(notate)]
  if (value instanceof Date) return ['date', Number.isNaN(+value) ? null : +value]
  if (value instanceof Map) return ['map', ...Array.from(value, ([key, item]) => [notate(key), notate(item)])]
  if (value instanceof Set) return ['set', ...Array.from(value, notate)]
  if (value instanceof URL) return ['url', value.href]
  if (value instanceof RegExp) return ['regexp', value.source, value.flags]
  if (value instanceof Error)
    return ['error', value.name, value.message, ...('cause' in value ? [notate(value.cause)] : [])]
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return ['bytes', Object.prototype.toString.call(value).slice(8, -1), toHex(toBytes(value))]
  return ['object', ...Object.keys(value).map((key) => [key, notate((value as any)[key])])]
}

const joined = ({ bytes = [] }: Encoded) => bytes.map(toHex).join('')

for (const { name, value, json, marks, bytes, decodeOnly } of values.good as ValueCase[]) {
  test(`decodes ${name}`, () => {
    const decoded = codec.decode(parse(json), parse(marks), bytes === undefined ? undefined : fromHex(bytes))
    expect(notate(decoded)).toEqual(value)
  })
  if (!decodeOnly)
    test(`encodes ${name}`, () => {
      const encoded = codec.encode(build(value))
      expect(encoded.json || undefined).toBe(json)
      expect(parse(encoded.marks || undefined)).toEqual(parse(marks))
      expect(joined(encoded)).toBe(bytes ?? '')
      expect(!!encoded.bytes?.length).toBe(bytes !== undefined)
    })
}

for (const { name, json, marks, bytes } of values.bad as ValueCase[])
  test(`refuses ${name}`, () => {
    const read = () => codec.decode(parse(json), parse(marks), bytes === undefined ? undefined : fromHex(bytes))
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no' }))
    expect(({} as any).polluted).toBeUndefined()
    expect(([] as any).polluted).toBeUndefined()
    expect(Object.hasOwn(Object.prototype, 'toString')).toBe(true)
  })

const frameOf = ({ text, hex, repeat }: FrameCase): unknown => {
  if (hex !== undefined) return fromHex(hex).buffer
  if (!repeat) return text
  return repeat.before + Array(repeat.times).fill(repeat.text).join(repeat.between) + repeat.after
}

for (const frame of frames.good as FrameCase[])
  test(`takes apart ${frame.name}`, () => {
    const { messages, bytes } = parseFrame(frameOf(frame), LIMITS, codec)
    expect(messages).toHaveLength(frame.count ?? frame.messages!.length)
    if (frame.messages) expect(messages).toEqual(frame.messages)
    expect(bytes && toHex(bytes)).toBe(frame.bytes)
    if (frame.bytes !== undefined) {
      const text = new TextDecoder().decode(fromHex(frame.hex!).slice(4)).slice(0, -frame.bytes.length / 2 || undefined)
      expect(toHex(joinFrame(JSON.stringify(JSON.parse(text)), [fromHex(frame.bytes)]))).toBe(frame.hex)
    }
  })

for (const frame of frames.bad as FrameCase[])
  test(`closes for ${frame.name}`, () => {
    const caught = (() => {
      try {
        return parseFrame(frameOf(frame), LIMITS, codec)
      } catch (error) {
        return error
      }
    })()
    expect(caught).toBeInstanceOf(ProtocolError)
    expect((caught as ProtocolError).code).toBe(frame.close)
  })
