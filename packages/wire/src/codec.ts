/** A value on its way: JSON, the marks of what JSON lacks, and bytes that travel raw. */
export interface Encoded {
  /** JSON; empty for `undefined`. */
  readonly json: string
  /** JSON of where in the value which type stands; empty where the JSON is all. */
  readonly marks?: string
  readonly bytes?: Uint8Array[]
  /** How many bytes those are together. */
  readonly length?: number
}

/** What goes over a socket: text, or binary where a message has bytes. */
export type Frame = string | Uint8Array<ArrayBuffer>

/** How values become messages and back. */
export interface Codec {
  /** What `hello` calls it. */
  readonly name: 'rich' | 'json'
  /**
   * @throws for what cannot arrive as it left
   */
  encode(value: unknown): Encoded
  /**
   * The way back, from JSON that was parsed already; it may change that in place.
   * @throws for what no encoder makes
   */
  decode(json: unknown, marks: unknown, bytes: Uint8Array | undefined): unknown
  /** Copies bytes that are still their user's memory, where they cannot be sent at once. */
  keep?(value: Encoded): void
  /** A binary frame of a text and the bytes of its last message. */
  join?(text: string, bytes: readonly Uint8Array[]): Uint8Array<ArrayBuffer>
  /**
   * Takes a binary frame apart; undefined for anything else.
   * @throws for what is broken
   */
  split?(frame: unknown): { text: string; bytes: Uint8Array } | undefined
}

/** JSON and nothing else: what JSON.stringify makes of a value. For the smallest client. */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (value) => ({ json: JSON.stringify(value) ?? '' }),
  decode: (json) => json,
}
