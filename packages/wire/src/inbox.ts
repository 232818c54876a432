/** What an inbox tells its owner. */
export interface InboxOwner {
  /** The reader has read as far as the sender asked: `n` more bytes may come. */
  grant(n: number): void
  /** More, or less, lies unread. */
  weigh(change: number): void
  /** The reader has left before the end. */
  leave(): void
}

type Reader<T> = [resolve: (result: IteratorResult<T, undefined>) => void, reject: (error: unknown) => void]

const DONE = { done: true, value: undefined } as const

/** The receiving side of a stream: a queue that its reader iterates. */
export class Inbox<T = unknown> implements AsyncIterableIterator<T, undefined> {
  readonly #owner: InboxOwner
  // A number stands where the sender asked for that many bytes to be granted.
  #queue: (readonly [value: T, weight: number] | number)[] = []
  readonly #readers: Reader<T>[] = []
  #end: { error?: unknown } | undefined

  constructor(owner: InboxOwner) {
    this.#owner = owner
  }

  /** A value has come; or, as a number alone, the sender asks for credit once all that came before has been read. */
  push(item: readonly [value: T, weight: number] | number): void {
    if (this.#end) return
    if (typeof item === 'object') this.#owner.weigh(item[1])
    this.#queue.push(item)
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
    for (const item of this.#queue) if (typeof item === 'object') this.#owner.weigh(-item[1])
    this.#queue = []
    const early = !this.#end
    this.#end = {}
    this.#deliver()
    if (early) this.#owner.leave()
    return DONE
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
        continue
      }
      const ready = item ?? this.#end
      const reader = ready && this.#readers.shift()
      if (!reader) return
      if (item) {
        this.#queue.shift()
        this.#owner.weigh(-item[1])
        reader[0]({ done: false, value: item[0] })
      } else if ('error' in ready) {
        this.#end = {}
        reader[1]((ready as { error: unknown }).error)
      } else reader[0](DONE)
    }
  }
}
