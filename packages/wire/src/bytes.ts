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
  if (!VIEWS.test(kind) || ![offset, length].every(Number.isSafeInteger)) throw 0
  if (offset < 0 || length < 0 || offset + length > bytes.length) throw 0
  const { buffer } = bytes.slice(offset, offset + length)
  if (kind === 'ArrayBuffer') return buffer
  return new (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => unknown>)[kind]!(buffer)
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
export const splitFrame = (frame: Uint8Array): { text: string; bytes: Uint8Array } => {
  const end = 4 + new DataView(frame.buffer, frame.byteOffset).getUint32(0)
  if (end > frame.length) throw 0
  return {
    text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame.subarray(4, end)),
    bytes: frame.subarray(end),
  }
}
