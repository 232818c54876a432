/** A value on its way: JSON, the marks of what JSON lacks, and bytes that travel raw. */
export interface Encoded {
  /** JSON; empty for `undefined`. */
  readonly json: string
  /** JSON of where in the value which type stands; empty where the JSON is all. */
  readonly marks?: string
  readonly bytes?: Uint8Array[]
}

/** What goes over a socket: text, or binary where a message has bytes. */
export type Frame = string | Uint8Array

/** How values become messages and back. */
export interface Codec {
  /** What `hello` calls it; a codec without a name reads everything. */
  readonly name?: string
  /**
   * @throws for what cannot arrive as it left
   */
  encode(value: unknown): Encoded
  /**
   * The way back, from JSON that was parsed already; it may change that in place.
   * @throws for what no encoder makes
   */
  decode(json: unknown, marks: unknown, bytes: Uint8Array | undefined): unknown
  /** A binary frame of a text and the bytes of its last message. */
  join?(text: string, bytes: readonly Uint8Array[]): Uint8Array
  /**
   * Takes a binary frame apart.
   * @throws for what is none
   */
  split?(frame: Uint8Array): { text: string; bytes: Uint8Array }
}

/** JSON and nothing else: what JSON.stringify makes of a value. For the smallest client. */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (value) => ({ json: JSON.stringify(value) ?? '' }),
  decode: (json) => json,
}

/** How many bytes a value has beside its JSON. */
export const weigh = ({ bytes = [] }: Encoded): number => bytes.reduce((sum, { length }) => sum + length, 0)
