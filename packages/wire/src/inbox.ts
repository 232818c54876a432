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
  /** A value has come; or, as a number alone, the sender asks for credit once all that came before has been read. */
  push(item: Item<T> | number): void
  /** No more will come. What is queued can still be read; then the reader meets the error, if there is one, once. */
  end(end?: { error?: unknown }): void
  /** The reader leaves: what is queued is dropped, and the sender is told. */
  return(): Promise<IteratorResult<T, undefined>>
}

type Item<T> = readonly [value: T, weight: number]

export const createInbox = <T = unknown>(owner: InboxOwner): Inbox<T> => {
  // A number stands where the sender asked for that many bytes to be granted.
  const queue: (Item<T> | number)[] = []
  let ended: { error?: unknown } | undefined
  let waiting: (() => void)[] = []

  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }

  const inbox: Inbox<T> = {
    push(item) {
      if (ended) return
      if (typeof item === 'object') owner.weigh(item[1])
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
        if (typeof item === 'number') owner.grant(item)
        else if (item) {
          owner.weigh(-item[1])
          return { done: false, value: item[0] }
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
      for (const item of queue.splice(0)) if (typeof item === 'object') owner.weigh(-item[1])
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
