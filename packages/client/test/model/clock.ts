interface Task {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Where the virtual time begins: no round number, so that a time of day is not taken for a duration. */
const START = 1_700_000_000_123

interface Platform {
  setTimeout: unknown
  clearTimeout: unknown
  readonly performance: { now(): number }
  readonly setImmediate: (task: () => void) => unknown
  readonly navigator?: { readonly userAgent?: string }
}
const platform = globalThis as unknown as Platform

export const isNode: boolean = !!platform.navigator?.userAgent?.startsWith('Node.js')
/** More turns of the microtask queue than anything takes that is under way. */
const MANY = 250

/** Resolves when no promise is left that could go on by itself. */
export const turn: () => Promise<void> = isNode
  ? () => new Promise((resolve) => void platform.setImmediate(resolve))
  : // Elsewhere a turn of the event loop takes far longer.
    async () => {
      for (let turns = MANY; turns--; ) await null
    }

const { setTimeout: realSetTimeout } = globalThis
/** A turn of the real event loop, in which whoever runs the tests can do something. */
export const breathe = (): Promise<void> => new Promise((resolve) => void realSetTimeout(resolve))

/**
 * Time that passes only when it is told to, in place of the platform's timers and clocks. Between two tasks all promises
 * settle, so that a run is the same each time.
 */
export class Clock {
  now: number = START
  #tasks: Task[] = []
  #order = 0
  #restore: (() => void) | undefined

  /** How many timers wait. */
  get pending(): number {
    return this.#tasks.length
  }

  /** When they fire, in milliseconds from now. */
  get timers(): number[] {
    return this.#tasks.map(({ at }) => at - this.now)
  }

  get elapsed(): number {
    return this.now - START
  }

  /** When the next timer fires, in milliseconds from now. */
  get next(): number | undefined {
    const task = this.#tasks[0]
    return task && task.at - this.now
  }

  readonly set = (run: () => void, delay = 0): Task => {
    const task = { at: this.now + Math.max(0, Math.ceil(Number(delay) || 0)), order: this.#order++, run }
    let index = this.#tasks.length
    while (index > 0 && this.#tasks[index - 1]!.at > task.at) index--
    this.#tasks.splice(index, 0, task)
    return task
  }

  readonly clear = (task: unknown): void => {
    const index = this.#tasks.indexOf(task as Task)
    if (index >= 0) this.#tasks.splice(index, 1)
  }

  /** @param random in place of Math.random */
  install(random: () => number = Math.random): void {
    const { setTimeout, clearTimeout } = platform
    const { now } = Date
    const { random: realRandom } = Math
    const own = Object.getOwnPropertyDescriptor(platform.performance, 'now')
    platform.setTimeout = this.set
    platform.clearTimeout = this.clear
    Date.now = () => this.now
    Math.random = random
    Object.defineProperty(platform.performance, 'now', { configurable: true, value: () => this.now - START })
    this.#restore = () => {
      platform.setTimeout = setTimeout
      platform.clearTimeout = clearTimeout
      Date.now = now
      Math.random = realRandom
      if (own) Object.defineProperty(platform.performance, 'now', own)
      else delete (platform.performance as { now?: unknown }).now
    }
  }

  uninstall(): void {
    this.#restore?.()
    this.#restore = undefined
  }

  /** Lets time pass, and everything happen that falls into it. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms
    await turn()
    while (this.#tasks[0] && this.#tasks[0].at <= until) {
      const task = this.#tasks.shift()!
      this.now = Math.max(this.now, task.at)
      task.run()
      await turn()
    }
    this.now = until
  }

  /** Lets the next timer fire. */
  async step(): Promise<boolean> {
    await turn()
    const task = this.#tasks.shift()
    if (!task) return false
    this.now = Math.max(this.now, task.at)
    task.run()
    await turn()
    return true
  }
}
