// Views that travel under their own name, in the byte order of practically every machine: little-endian.
const VIEWS = /^(ArrayBuffer|DataView|((Ui|I)nt(8|16|32)|Uint8Clamped|Float(32|64)|Big(Ui|I)nt64)Array)$/

/** The bytes under a buffer or view, not copied; undefined for anything else. */
export const bytesOf = (kind: string, value: unknown): Uint8Array | undefined =>
  kind === 'ArrayBuffer'
    ? new Uint8Array(value as ArrayBuffer)
    : ArrayBuffer.isView(value) && VIEWS.test(kind)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : undefined

/**
 * Makes a buffer or view of its own from a part of a frame's bytes.
 * @throws where the kind is unknown, the part lies outside, or its length does not fit the kind
 */
export const viewOf = (kind: string, part: unknown, bytes: Uint8Array): unknown => {
  const [offset, length] = part as [number, number]
  const own = bytes.slice(offset, offset + length)
  if (!VIEWS.test(kind) || offset >>> 0 !== offset || offset > bytes.length || own.length !== length) throw 0
  if (kind === 'ArrayBuffer') return own.buffer
  return new (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => unknown>)[kind]!(own.buffer)
}

/**
 * A binary frame: the length of the text as 32 bits, big-endian; the text; the bytes. From then on the list holds the
 * frame's copies, so that a message can be sent again whatever becomes of its user's memory.
 */
export const joinFrame = (text: string, bytes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const header = new TextEncoder().encode(text)
  let at = 4 + header.length
  const frame = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, at))
  new DataView(frame.buffer).setUint32(0, header.length)
  frame.set(header, 4)
  bytes.forEach((part, i) => {
    frame.set(part, at)
    ;(bytes as Uint8Array[])[i] = frame.subarray(at, at + part.length)
    at += part.length
  })
  return frame
}

/**
 * Takes a binary frame apart.
 * @throws where it is none
 */
export const splitFrame = (frame: ArrayBuffer): { text: string; bytes: Uint8Array } => {
  const length = new DataView(frame).getUint32(0)
  return {
    text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(frame, 4, length)),
    bytes: new Uint8Array(frame, 4 + length),
  }
}
