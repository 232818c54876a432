/** A WebSocket close frame: from a server without a mask, from a client with one. Without a code it has no payload. */
export const closeFrame = (code?: number, reason = '', mask?: Uint8Array): Buffer => {
  const text = Buffer.from(reason)
  const payload = Buffer.alloc(code === undefined ? 0 : 2 + text.length)
  if (payload.length > 125) throw new RangeError('A close reason has at most 123 bytes')
  if (code !== undefined) {
    payload.writeUInt16BE(code)
    text.copy(payload, 2)
  }
  if (!mask) return Buffer.concat([Buffer.of(0x88, payload.length), payload])
  return Buffer.concat([Buffer.of(0x88, 0x80 | payload.length), mask, payload.map((byte, at) => byte ^ mask[at & 3]!)])
}
