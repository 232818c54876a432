/** A value as a codec encodes it. */
interface Digestible {
  readonly json: string
  readonly marks?: string
  readonly bytes?: readonly Uint8Array[]
}

/**
 * A short name for an encoded value: the same for the same value on every machine, and for two values that differ by
 * chance practically never the same. Without secrets: whoever wants two values with one name can find them.
 *
 * It is the hash cyrb53 of bryc (https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js, public domain),
 * with all 64 bits that it computes, for two seeds; before them the lengths, which tell where each part ends.
 *
 * @example
 * digest({ json: '{"a":1}' }) // '7.0.0.…'
 */
export const digest = ({ json, marks = '', bytes = [] }: Digestible): string => {
  let a1 = 0xdeadbeef
  let a2 = 0x41c6ce57
  let b1 = a1 ^ SEED
  let b2 = a2 ^ SEED
  let length = 0

  const mix = (unit: number) => {
    a1 = Math.imul(a1 ^ unit, 2654435761)
    a2 = Math.imul(a2 ^ unit, 1597334677)
    b1 = Math.imul(b1 ^ unit, 2654435761)
    b2 = Math.imul(b2 ^ unit, 1597334677)
  }
  for (let i = 0; i < json.length; i++) mix(json.charCodeAt(i))
  for (let i = 0; i < marks.length; i++) mix(marks.charCodeAt(i))
  for (const part of bytes) {
    length += part.length
    for (let i = 0; i < part.length; i++) mix(part[i]!)
  }
  return `${json.length}.${marks.length}.${length}.${finish(a1, a2)}${finish(b1, b2)}`
}

const SEED = 0x9e3779b9

/** cyrb53's own end, so that each bit of the input reaches each bit of the name. */
const finish = (h1: number, h2: number): string => {
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909)
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909)
  return hex(h2) + hex(h1)
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
