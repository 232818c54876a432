/** What an inbox tells its owner. */
export interface InboxOwner {
  /** The reader has read as far as the sender asked: `n` more bytes may come. */
  grant(n: number): void
  /** More, or less, lies unread. */
  weigh(change: number): void
  /** The reader has left before the end. */
  leave(): void
}

type Item<T> = readonly [value: T, weight: number]
type Reader<T> = [resolve: (result: IteratorResult<T, undefined>) => void, reject: (error: unknown) => void]

/** The receiving side of a stream: a queue that its reader iterates. */
export class Inbox<T = unknown> implements AsyncIterableIterator<T, undefined> {
  readonly #owner: InboxOwner
  // A number stands where the sender asked for that many bytes to be granted.
  #queue: (Item<T> | number)[] = []
  #readers: Reader<T>[] = []
  #end: { error?: unknown } | undefined

  constructor(owner: InboxOwner) {
    this.#owner = owner
  }

  push(value: T, weight: number): void {
    if (this.#end) return
    this.#owner.weigh(weight)
    this.#queue.push([value, weight])
    this.#deliver()
  }

  /** The sender asks for credit once all that came before has been read. */
  ask(n: number): void {
    if (this.#end) return
    this.#queue.push(n)
    this.#deliver()
  }

  /** No more will come. What is queued can still be read; then the reader meets the error, if there is one, once. */
  end(end: { error?: unknown } = {}): void {
    this.#end ??= end
    this.#deliver()
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((...reader) => {
      this.#readers.push(reader)
      this.#deliver()
    })
  }

  /** The reader leaves: what is queued is dropped, and the sender is told. */
  async return(): Promise<IteratorResult<T, undefined>> {
    for (const item of this.#queue) if (typeof item !== 'number') this.#owner.weigh(-item[1])
    this.#queue = []
    const early = !this.#end
    this.#end = {}
    this.#deliver()
    if (early) this.#owner.leave()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #deliver(): void {
    for (;;) {
      const [item] = this.#queue
      if (typeof item === 'number') {
        this.#queue.shift()
        this.#owner.grant(item)
      } else if (!this.#readers.length || !(item || this.#end)) return
      else {
        const [resolve, reject] = this.#readers.shift()!
        const end = this.#end
        if (item) {
          this.#queue.shift()
          this.#owner.weigh(-item[1])
          resolve({ done: false, value: item[0] })
        } else if (end && 'error' in end) {
          this.#end = {}
          reject(end.error)
        } else resolve({ done: true, value: undefined })
      }
    }
  }
}
