import type { Encoded } from '@pairwire/wire'
import { digest } from '../digest.ts'

/** Four words of 32 bits. */
export type Words = readonly [number, number, number, number]

/** What stands for a value: two values with the same text are the same. */
export interface Fingerprint {
  readonly text: string
  readonly words: Words
}

export const fingerprint = (encoded: Encoded): Fingerprint => {
  const text = digest(encoded)
  const word = (at: number) => Number.parseInt(text.slice(at, at + 8 || undefined), 16)
  return { text, words: [word(-32), word(-24), word(-16), word(-8)] }
}

/**
 * Stands for a set of values, in whatever order they came: the sum of what stands for each. One that comes or goes costs
 * one addition. Without secrets, as a digest is: whoever may choose the values can find two sets with one name.
 */
export class SetFingerprint {
  #words: Words = [0, 0, 0, 0]
  #size = 0

  copy(): SetFingerprint {
    const copy = new SetFingerprint()
    copy.#words = this.#words
    copy.#size = this.#size
    return copy
  }

  add({ words: [a, b, c, d] }: Fingerprint): void {
    const [e, f, g, h] = this.#words
    this.#words = [(e + a) >>> 0, (f + b) >>> 0, (g + c) >>> 0, (h + d) >>> 0]
    this.#size++
  }

  delete({ words: [a, b, c, d] }: Fingerprint): void {
    const [e, f, g, h] = this.#words
    this.#words = [(e - a) >>> 0, (f - b) >>> 0, (g - c) >>> 0, (h - d) >>> 0]
    this.#size--
  }

  toString(): string {
    return `${this.#size}.${this.#words.map((word) => word.toString(16).padStart(8, '0')).join('')}`
  }
}
