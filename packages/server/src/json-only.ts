import { type Codec, createRichCodec } from '@pairwire/wire'

/** For a client that reads plain JSON only: what plain JSON cannot carry is an error here, instead of a surprise there. */
export const createJsonOnlyCodec = (depth: number): Codec => {
  // It marks undefined, and nothing else; those marks are left off, as JSON.stringify leaves off the key.
  const strict = createRichCodec(depth, {
    richOnly: true,
    flatten: (value) => (value === undefined ? ['undefined', null] : undefined),
    // The one mark that such a client has: for an input that is not there, before options that are.
    revive(mark) {
      if (mark === 'undefined') return undefined
      throw new TypeError('a client of plain JSON has no other marks')
    },
  })
  return {
    name: 'json',
    encode(value) {
      const encoded = strict.encode(value)
      if (encoded.bytes) throw new TypeError('bytes cannot be sent to a client of plain JSON')
      // Only where something is undefined does the text differ from what JSON makes of the value.
      return encoded.marks ? { json: JSON.stringify(value) } : encoded
    },
    decode: (json, marks, bytes) => strict.decode(json, marks, bytes),
  }
}
