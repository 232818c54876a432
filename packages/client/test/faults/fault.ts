/** `up` goes from the client to the server. */
export type Direction = 'up' | 'down'

/**
 * Where in a direction a fault acts. Frames are data messages, counted from 1 as they pass: a message in fragments is
 * one, pings, pongs and closes are none. What is counted is what was passed on, so a fault behind one that stops the
 * direction never acts. `after: 0` and `byte: 0` act once the direction's half of the HTTP handshake has passed.
 */
export type Position =
  /** When the first byte of the n-th frame arrives. Nothing of that frame is delivered. */
  | { before: number; after?: never; byte?: never }
  /** Once the last byte of the n-th frame has been passed on. */
  | { after: number; before?: never; byte?: never }
  /** Once exactly n bytes behind the handshake have been passed on, be it in the middle of a frame. */
  | { byte: number; before?: never; after?: never }

export type Action =
  /**
   * Both TCP connections end: by RST if `reset`, by FIN if not, by the seed if not said. All that passed before is
   * written first. As any RST does, one may still make its receiver lose what it had not read.
   */
  | { action: 'cut'; reset?: boolean }
  /** The client's TCP connection ends as in `cut`; the server's stays open and silent, and nobody hears the server. */
  | { action: 'abandon'; reset?: boolean }
  /** This direction delivers nothing more, not even its end. The other goes on. */
  | { action: 'half' }
  /** Neither direction delivers anything more, not even its end; both TCP connections stay open until cut. */
  | { action: 'black-hole' }
  /** This direction waits, then goes on in order with all that came meanwhile. */
  | { action: 'hold'; ms: number }
  | { action: 'slow'; bytesPerSecond: number }
  /**
   * Both ends get a close frame as if from the other, then FIN. In a direction that is inside of a frame, the rest of
   * that frame passes first: a close frame in its middle would be its payload.
   */
  | { action: 'close'; code?: number; reason?: string }
  /**
   * A second TCP connection to the server sends what the client sent so far, handshake included, then falls silent. What
   * the server replies to it is discarded. It ends with the first.
   */
  | { action: 'duplicate-connect' }

export type Fault = { at: Direction } & Position & Action
