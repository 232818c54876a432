import { BAD_FRAME, ProtocolError } from './close.ts'
import type { Line } from './line.ts'

/** Anything a stream can be made of. */
export type Source<T = unknown> = AsyncIterable<T> | Iterable<T> | { getReader(): unknown }

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

/** The sending side of a stream. */
export interface Sender {
  /** Sends what a source yields, no faster than credit allows; true when the source is done, false when closed. */
  run(source: Source): Promise<boolean>
  /** The reader has read `n` more bytes. */
  grant(n: number): void
  /** Stops, and leaves the source. */
  close(): void
}

export const iteratorOf = (source: Source): AnyIterator => {
  const any = source as AsyncIterable<unknown> & Iterable<unknown> & { getReader(): { read(): never; cancel(): never } }
  const make = any[Symbol.asyncIterator] ?? any[Symbol.iterator]
  if (make) return make.call(any)
  // Safari's ReadableStream is not iterable.
  const reader = any.getReader()
  return { next: () => reader.read(), return: () => reader.cancel() }
}

/** A class, and not closures: of these an end may have thousands. */
class StreamSender implements Sender {
  /** Bytes that were sent and are not known to be read, and how many of those the reader was not asked about yet. */
  #unread = 0
  #unasked = 0
  readonly #line: Line
  readonly #id: number
  readonly #size: number
  readonly #send: (value: unknown) => number
  #closed = false
  #iterator: AnyIterator | undefined
  #wake: (() => void) | undefined

  constructor(line: Line, id: number, window: number, send: (value: unknown) => number) {
    this.#line = line
    this.#id = id
    this.#size = window > 0 ? Math.min(window, line.limits.window) : line.limits.window
    this.#send = send
  }

  async run(source: Source): Promise<boolean> {
    const size = this.#size
    try {
      const iterator = iteratorOf(source)
      this.#iterator = iterator
      if (this.#closed) this.close()
      while (!this.#closed) {
        if (this.#unread < size) {
          const step = await iterator.next()
          if (this.#closed) break
          if (step.done) return true
          const weight = this.#send(step.value)
          this.#unread += weight
          this.#unasked += weight
          if (this.#unasked * 2 >= size) {
            this.#line.credit(this.#id, -this.#unasked)
            this.#unasked = 0
          }
        } else await this.#granted()
      }
      return false
    } catch (error) {
      this.close()
      throw error
    }
  }

  grant(n: number): void {
    this.#unread -= n
    if (this.#unread < 0) throw new ProtocolError(BAD_FRAME, 'credit for more than was sent')
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
    // A source that will not be left, or throws at it, is its author's affair.
    ;(async () => this.#iterator?.return?.())().catch(() => {})
  }

  #granted(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/**
 * Flow control is credit in bytes, per stream. The sender weighs each message, stops at a full window, and each half
 * window asks for what it has sent to be granted again; the reader says so when it has read that far. So a reader need
 * not know what a message of a batch weighs, and a quiet stream costs no message upstream.
 */
export const createSender = (line: Line, id: number, window: number, send: (value: unknown) => number): Sender =>
  new StreamSender(line, id, window, send)
