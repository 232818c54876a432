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
  /** Bytes that were sent and are not known to be read, and how many of those the reader was not asked about yet. */
  readonly unread: number
  readonly unasked: number
  /** Stops, and leaves the source. */
  close(): void
}

const iteratorOf = (source: Source): AnyIterator => {
  const any = source as AsyncIterable<unknown> & Iterable<unknown> & { getReader(): { read(): never; cancel(): never } }
  const make = any[Symbol.asyncIterator] ?? any[Symbol.iterator]
  if (make) return make.call(any)
  // Safari's ReadableStream is not iterable.
  const reader = any.getReader()
  return { next: () => reader.read(), return: () => reader.cancel() }
}

/**
 * Flow control is credit in bytes, per stream. The sender weighs each message, stops at a full window, and each half
 * window asks for what it has sent to be granted again; the reader says so when it has read that far. So a reader need
 * not know what a message of a batch weighs, and a quiet stream costs no message upstream.
 */
export const createSender = (
  line: Line,
  id: number,
  window: number,
  send: (value: unknown) => number,
  before?: Pick<Sender, 'unread' | 'unasked'>,
): Sender => {
  const size = window > 0 ? Math.min(window, line.limits.window) : line.limits.window
  let { unread, unasked } = before ?? { unread: 0, unasked: 0 }
  let closed = false
  let iterator: AnyIterator | undefined
  let wake = () => {}
  const granted = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const sender: Sender = {
    get unread() {
      return unread
    },
    get unasked() {
      return unasked
    },
    async run(source) {
      try {
        iterator = iteratorOf(source)
        if (closed) sender.close()
        // A source that had been read before is begun at once: what is left has to have begun, or its `finally` would not run.
        let ahead = !!before
        while (!closed) {
          if (unread < size || ahead) {
            ahead = false
            const { done, value } = await iterator.next()
            while (!closed && !done && unread >= size) await granted()
            if (closed) break
            if (done) return true
            const weight = send(value)
            unread += weight
            unasked += weight
            if (unasked * 2 >= size) {
              line.credit(id, -unasked)
              unasked = 0
            }
          } else await granted()
        }
        return false
      } catch (error) {
        sender.close()
        throw error
      }
    },
    grant(n) {
      unread -= n
      if (unread < 0) throw new ProtocolError(BAD_FRAME, 'credit for more than was sent')
      wake()
    },
    close() {
      closed = true
      wake()
      // A source that will not be left, or throws at it, is its author's affair.
      ;(async () => iterator?.return?.())().catch(() => {})
    },
  }
  return sender
}
