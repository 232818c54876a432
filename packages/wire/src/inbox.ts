/** What an inbox tells its owner. */
export interface InboxOwner {
  /** The reader has read as far as the sender asked: `n` more bytes may come. */
  grant(n: number): void
  /** More, or less, lies unread. */
  weigh(change: number): void
  /** The reader has left before the end. */
  leave(): void
}

/** The receiving side of a stream: a queue that its reader iterates. */
export interface Inbox<T = unknown> extends AsyncIterableIterator<T, undefined> {
  push(item: Item<T>): void
  /** No more will come. What is queued can still be read; then the reader meets the error, if there is one, once. */
  end(end?: { error?: unknown }): void
  /** The reader leaves: what is queued is dropped, and the sender is told. */
  return(): Promise<IteratorResult<T, undefined>>
}

/** A value; or the sender's question for credit, to be granted once all that came before has been read. */
export interface Item<T> {
  readonly weight: number
  readonly value?: T
  /** Bytes to grant. */
  readonly ask?: number
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
          if (!item.ask) return { done: false, value: item.value as T }
          owner.grant(item.ask)
        } else if (ended) {
          const { error } = ended
          ended = {}
          if (error) throw error
          return { done: true, value: undefined }
        } else
          await new Promise<void>((resolve) => {
            waiting.push(resolve)
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
