/** Close codes of the wire. The hundred carries the verdict, so that an old client obeys a new code. */
export const BAD_FRAME = 4000
export const BAD_VERSION = 4001
export const DUPLICATE_ID = 4002
export const FORBIDDEN = 4003
export const TOO_LARGE = 4004
export const SECOND_HELLO = 4005
export const TOO_MANY_CONNECTIONS = 4006
export const SUPERSEDED = 4008
export const INTERNAL_CLOSE = 4100
export const OVERLOADED = 4101
export const SLOW_CONSUMER = 4103
export const HEARTBEAT_LOST = 4104
export const HELLO_TIMEOUT = 4105
export const DRAINING = 4200
export const UNAUTHENTICATED_CLOSE = 4301

/** Thrown where a frame breaks the protocol so that the socket has to close; no application ever meets it. */
export class ProtocolError extends Error {
  declare readonly code: number
  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

/** A close reason holds 123 bytes of UTF-8 (RFC 6455, 5.5): cuts at a code point, never inside one. */
export const closeReason = (reason: string): string => {
  const encoder = new TextEncoder()
  let bytes = 0
  let out = ''
  for (const point of reason) {
    bytes += encoder.encode(point).length
    if (bytes > 123) break
    out += point
  }
  return out
}
