// The neutral notation of values that the vectors use (docs/PROTOCOL.md, section 17), for the tests that run them.

export const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A binary frame, or a long text that the vectors describe instead of spelling it out. */
export interface LongFrame {
  hex?: string
  repeat?: { before: string; text: string; times: number; between: string; after: string }
}

/** What a case sends: text, or bytes. */
export const frameOf = (frame: string | LongFrame): string | ArrayBuffer => {
  if (typeof frame === 'string') return frame
  if (frame.hex !== undefined) return fromHex(frame.hex).buffer
  const { before, text, times, between, after } = frame.repeat!
  return before + Array(times).fill(text).join(between) + after
}

/** The value that a notation stands for. */
export const build = (notation: unknown): unknown => {
  if (!Array.isArray(notation)) return notation
  const [type, ...parts] = notation
  switch (type) {
    case 'array':
      return parts.map(build)
    case 'object': {
      const object = {}
      for (const [key, value] of parts)
        Object.defineProperty(object, key, {
          value: build(value),
          enumerable: true,
          writable: true,
          configurable: true,
        })
      return object
    }
    case 'units':
      return String.fromCharCode(...parts)
    case 'undefined':
      return undefined
    case 'number':
      return Number(parts[0])
    case 'bigint':
      return BigInt(parts[0])
    case 'date':
      return new Date(parts[0] ?? Number.NaN)
    case 'map':
      return new Map(parts.map(([key, value]) => [build(key), build(value)]))
    case 'set':
      return new Set(parts.map(build))
    case 'url':
      return new URL(parts[0])
    case 'regexp':
      return new RegExp(parts[0], parts[1])
    case 'error':
      return Object.assign(new Error(parts[1], parts.length > 2 ? { cause: build(parts[2]) } : {}), { name: parts[0] })
    case 'bytes': {
      const { buffer } = fromHex(parts[1])
      return parts[0] === 'ArrayBuffer' ? buffer : Reflect.construct(Reflect.get(globalThis, parts[0]), [buffer])
    }
  }
  throw new Error(`the vectors have no notation "${type}"`)
}

/** The notation of a value: compare values by it, since no two test libraries agree on what is equal. */
export const notate = (value: unknown): unknown => {
  if (typeof value === 'string' && JSON.stringify(value).includes('\\ud'))
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
  if (value instanceof ArrayBuffer) return ['bytes', 'ArrayBuffer', toHex(new Uint8Array(value))]
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
    return ['bytes', Object.prototype.toString.call(value).slice(8, -1), toHex(bytes)]
  }
  return ['object', ...Object.entries(value).map(([key, item]) => [key, notate(item)])]
}
