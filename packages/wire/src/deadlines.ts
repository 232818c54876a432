/** Something that ends at a time, in milliseconds since the epoch. */
export interface Expiring {
  readonly deadline: number | undefined
  expire(): void
}

/** Ends what has run out of time, with one timer for all of it. */
export interface Deadlines {
  add(item: Expiring): void
  /** The last one out stops the timer: a pending timer keeps a Durable Object awake and a Node process alive. */
  delete(item: Expiring): void
}

// setTimeout's 32 bits; a later deadline is looked at again when the timer fires.
const MAX_DELAY = 2_147_483_647

export const createDeadlines = (): Deadlines => {
  const items = new Set<Expiring>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let next = Number.POSITIVE_INFINITY
  const arm = () => {
    clearTimeout(timer)
    if (items.size) timer = setTimeout(sweep, Math.min(next - Date.now(), MAX_DELAY))
    else next = Number.POSITIVE_INFINITY
  }
  const sweep = () => {
    next = Number.POSITIVE_INFINITY
    for (const item of items) {
      const at = item.deadline ?? next
      if (at <= Date.now()) {
        items.delete(item)
        item.expire()
      } else next = Math.min(next, at)
    }
    arm()
  }
  return {
    add(item) {
      if (!item.deadline) return
      items.add(item)
      if (item.deadline < next) {
        next = item.deadline
        arm()
      }
    },
    delete(item) {
      if (items.delete(item) && !items.size) arm()
    },
  }
}
