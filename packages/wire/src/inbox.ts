/** What an inbox tells its owner. */
export interface InboxOwner {
  /** More, or less, lies unread. */
  weigh(change: number): void
  /** The reader has left before the end. */
  leave(): void
  /** An event with this id has been read. */
  seen?(id: string): void
  /** All that came has been read, and the reader waits for more. */
  idle?(): void
}

/** The receiving side of a stream: a queue that its reader iterates. */
export interface Inbox<T = unknown> extends AsyncIterableIterator<T, undefined> {
  /** How many items wait to be read. */
  unread(): number
  /** Whether all that came has been read, and its reader waits for more. */
  idle(): boolean
  push(item: Item<T>): void
  /** No more will come. What is queued can still be read; then the reader meets the error, if there is one, once. */
  end(end?: { error?: unknown }): void
  /** The reader leaves: what is queued is dropped, and the sender is told. */
  return(): Promise<IteratorResult<T, undefined>>
}

/** A value, or something to be done once all that came before has been read. */
export interface Item<T> {
  readonly weight: number
  readonly value?: T
  /** The event's id. */
  readonly id?: string | undefined
  readonly reached?: () => void
}

type Step<T> = IteratorResult<T, undefined>
/** Who waits for an item. */
type Read<T> = readonly [resolve: (step: Step<T>) => void, reject: (error: unknown) => void]

const over = { done: true, value: undefined } as const

/** A class, and `next` no async function: of events there are many, and each would cost two more promises. */
export class StreamInbox<T = unknown> implements Inbox<T> {
  readonly #owner: InboxOwner
  readonly #queue: Item<T>[] = []
  readonly #reads: Read<T>[] = []
  #end: { error?: unknown } | undefined

  constructor(owner: InboxOwner) {
    this.#owner = owner
  }

  unread(): number {
    return this.#queue.length
  }

  idle(): boolean {
    return !this.#end && !this.#queue.length && this.#reads.length > 0
  }

  push(item: Item<T>): void {
    if (this.#end) return
    this.#owner.weigh(item.weight)
    this.#queue.push(item)
    this.#answer()
  }

  end(end: { error?: unknown } = {}): void {
    this.#end ??= end
    this.#answer()
  }

  next(): Promise<Step<T>> {
    return new Promise((...read) => {
      this.#reads.push(read)
      this.#answer()
      if (this.#reads.length) this.#owner.idle?.()
    })
  }

  async return(): Promise<Step<T>> {
    for (const { weight } of this.#queue.splice(0)) this.#owner.weigh(-weight)
    const early = !this.#end
    this.#end = {}
    this.#answer()
    if (early) this.#owner.leave()
    return over
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Gives who waits what there is. */
  #answer(): void {
    while (this.#reads.length) {
      const item = this.#queue.shift()
      if (item) {
        this.#owner.weigh(-item.weight)
        if (item.id) this.#owner.seen?.(item.id)
        if (item.reached) item.reached()
        else this.#reads.shift()![0]({ done: false, value: item.value as T })
      } else if (this.#end) {
        const { error } = this.#end
        const [resolve, reject] = this.#reads.shift()!
        this.#end = {}
        if (error) reject(error)
        else resolve(over)
      } else return
    }
  }
}

export const createInbox = <T = unknown>(owner: InboxOwner): Inbox<T> => new StreamInbox<T>(owner)
