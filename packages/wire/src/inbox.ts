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

export const createInbox = <T = unknown>(owner: InboxOwner): Inbox<T> => {
  let ended: { error?: unknown } | undefined
  let waiting: (() => void)[] = []
  const queue: Item<T>[] = []

  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }

  const inbox: Inbox<T> = {
    // No getters here: they would make a dictionary of the object.
    unread: () => queue.length,
    idle: () => !ended && !queue.length && waiting.length > 0,
    push(item) {
      if (ended) return
      owner.weigh(item.weight)
      queue.push(item)
      wake()
    },
    end(end = {}) {
      ended ??= end
      wake()
    },
    async next() {
      for (;;) {
        const item = queue.shift()
        if (item) {
          owner.weigh(-item.weight)
          if (item.id) owner.seen?.(item.id)
          if (!item.reached) return { done: false, value: item.value as T }
          item.reached()
        } else if (ended) {
          const { error } = ended
          ended = {}
          if (error) throw error
          return { done: true, value: undefined }
        } else
          await new Promise<void>((resolve) => {
            waiting.push(resolve)
            owner.idle?.()
          })
      }
    },
    async return() {
      for (const { weight } of queue.splice(0)) owner.weigh(-weight)
      const early = !ended
      ended = {}
      wake()
      if (early) owner.leave()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => inbox,
  }
  return inbox
}
