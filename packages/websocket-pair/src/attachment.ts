import { serializedSize } from './attachment-size.ts'
import { platform } from './platform.ts'

/** The largest attachment of a socket, in bytes of the structured clone format of V8. */
export const MAX_ATTACHMENT_BYTES = 16384

/** A value kept with a socket, by value: what is put in is cloned, and so is what is taken out. */
export class Attachment {
  #value: unknown = null

  /**
   * @throws {DOMException} `DataCloneError` for what cannot be cloned, a function for example
   * @throws {Error} when the value takes more than 16,384 bytes
   */
  set(value: unknown): void {
    const clone = platform.structuredClone(value)
    const size = serializedSize(clone)
    if (size > MAX_ATTACHMENT_BYTES) {
      throw new Error(
        `A WebSocket 'attachment' cannot be larger than ${MAX_ATTACHMENT_BYTES} bytes.'attachment' was ${size} bytes.`,
      )
    }
    this.#value = clone
  }

  /** A new copy of the value; null when none was set. */
  get(): unknown {
    return platform.structuredClone(this.#value)
  }
}
