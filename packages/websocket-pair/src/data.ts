import { platform } from './platform.ts'

/** What crosses from one socket to the other. */
export type Frame =
  | { readonly kind: 'text'; readonly text: string; readonly size: number }
  | { readonly kind: 'bytes'; readonly bytes: ArrayBuffer; readonly size: number }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string; readonly size: 0 }
  | { readonly kind: 'lost'; readonly size: 0 }

/** The number of bytes of a text in UTF-8. A lone surrogate counts as three. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    const next = text.charCodeAt(i + 1)
    if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) i++
  }
  return bytes
}

/** What `send` was given, by value: bytes are copied, all that is neither a buffer nor a view becomes a string. */
export function toFrame(message: unknown): Frame {
  const bytes = copyBytes(message)
  if (bytes !== undefined) return { kind: 'bytes', bytes, size: bytes.byteLength }
  if (typeof message === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string')
  const text = String(message)
  return { kind: 'text', text: withoutLoneSurrogates(text), size: utf8Length(text) }
}

/** What a listener sees as `event.data`. */
export function toData(frame: Frame & { kind: 'text' | 'bytes' }, binaryType: 'blob' | 'arraybuffer'): unknown {
  if (frame.kind === 'text') return frame.text
  return binaryType === 'blob' ? new platform.Blob([frame.bytes]) : frame.bytes
}

function copyBytes(message: unknown): ArrayBuffer | undefined {
  if (ArrayBuffer.isView(message)) {
    const { buffer, byteOffset, byteLength } = message
    // a view on a detached buffer has no bytes, and asking its buffer for them would throw
    return byteLength === 0 ? new ArrayBuffer(0) : new Uint8Array(buffer, byteOffset, byteLength).slice().buffer
  }
  // by tag and not by instanceof: a buffer may come from another realm (an iframe, a node:vm context)
  const tag = Object.prototype.toString.call(message)
  if (tag !== '[object ArrayBuffer]' && tag !== '[object SharedArrayBuffer]') return undefined
  const buffer = message as ArrayBuffer
  return buffer.byteLength === 0 ? new ArrayBuffer(0) : new Uint8Array(buffer).slice().buffer
}

/** workerd writes a lone surrogate as its three bytes and reads each of them as an invalid one. */
function withoutLoneSurrogates(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD\uFFFD\uFFFD')
}
