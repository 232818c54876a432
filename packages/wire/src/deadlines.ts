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

/** One timer for all items. */
export const createDeadlines = (): Deadlines => {
  const items = new Set<Expiring>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let next: number
  const arm = () => {
    clearTimeout(timer)
    next = Infinity
    for (const { deadline = next } of items) next = Math.min(next, deadline)
    if (next < Number.POSITIVE_INFINITY) timer = setTimeout(sweep, Math.max(0, Math.min(next - Date.now(), MAX_DELAY)))
  }
  const sweep = () => {
    for (const item of items) {
      if (item.deadline! > Date.now()) continue
      items.delete(item)
      if (item.deadline) item.expire()
    }
    arm()
  }
  return {
    add(item) {
      if (!item.deadline) return
      items.add(item)
      if (!(item.deadline >= next)) arm()
    },
    delete(item) {
      if (items.delete(item) && !items.size) arm()
    },
  }
}

/** A timer for each item: slower where there are many, and small. */
export const createTimers = (): Deadlines => ({
  add(item) {
    item.timer = setTimeout(() => item.deadline && item.expire(), item.deadline! - Date.now())
  },
  delete: (item) => clearTimeout(item.timer),
})
