import {
  BAD_FRAME,
  BAD_VERSION,
  type Codec,
  HELLO,
  type HelloOptions,
  type Message,
  ProtocolError,
  VERSION,
} from '@pairwire/wire'

/**
 * What a connection's first message says.
 *
 * @throws ProtocolError where it is no `hello`, or none that can be read
 */
export const readHello = (
  [op, version, , json, marks]: Message,
  bytes: Uint8Array | undefined,
  codec: Codec,
): HelloOptions => {
  if (op !== HELLO || typeof (json ?? {}) !== 'object')
    throw new ProtocolError(BAD_FRAME, 'a connection begins with hello')
  if (version !== VERSION) throw new ProtocolError(BAD_VERSION, `this server speaks version ${VERSION} of the wire`)
  try {
    return (codec.decode(json ?? {}, marks, bytes) ?? {}) as HelloOptions
  } catch {
    throw new ProtocolError(BAD_FRAME, 'the options of hello cannot be read')
  }
}
