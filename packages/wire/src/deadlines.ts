/** Something that ends at a time, in milliseconds since the epoch. */
export interface Expiring {
  readonly deadline: number | undefined
  /** Its own timer, where each has one. */
  timer?: ReturnType<typeof setTimeout>
  expire(): void
}

/** Ends what has run out of time. */
export interface Deadlines {
  add(item: Expiring): void
  /** The last one out stops the timer: a pending timer keeps a Durable Object awake and a Node process alive. */
  delete(item: Expiring): void
}

// setTimeout's 32 bits; a later deadline is looked at again when the timer fires.
const MAX_DELAY = 2_147_483_647

/** One timer for all items. A class, since a server has one for each connection. */
class Timeline implements Deadlines {
  #items: Set<Expiring> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #next: number | undefined

  add(item: Expiring): void {
    if (!item.deadline) return
    this.#items ??= new Set()
    this.#items.add(item)
    if (!(item.deadline >= this.#next!)) this.#arm()
  }

  delete(item: Expiring): void {
    if (this.#items?.delete(item) && !this.#items.size) this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    let next = Infinity
    for (const { deadline = next } of this.#items!) next = Math.min(next, deadline)
    this.#next = next
    if (next < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.#sweep(), Math.max(0, Math.min(next - Date.now(), MAX_DELAY)))
  }

  #sweep(): void {
    for (const item of this.#items!) {
      if (item.deadline! > Date.now()) continue
      this.#items!.delete(item)
      if (item.deadline) item.expire()
    }
    this.#arm()
  }
}

export const createDeadlines = (): Deadlines => new Timeline()

/** A timer for each item: slower where there are many, and small. */
export const createTimers = (): Deadlines => ({
  add(item) {
    item.timer = setTimeout(() => item.deadline && item.expire(), item.deadline! - Date.now())
  },
  delete: (item) => clearTimeout(item.timer),
})
