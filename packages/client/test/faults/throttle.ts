/** So that a pause of the process is not followed by a flood. */
const burstMs = 50
const stepMs = 5

/** A budget of bytes that fills with time. */
export class Throttle {
  readonly #perMs: number
  readonly #onFilled: () => void
  #budget = 0
  #since = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** `onFilled` is called when there is something to spend again, after `allow` said there was not. */
  constructor(bytesPerSecond: number, onFilled: () => void) {
    this.#perMs = bytesPerSecond / 1000
    this.#onFilled = onFilled
  }

  allow(): number {
    const now = performance.now()
    this.#budget = Math.min(this.#budget + (now - this.#since) * this.#perMs, Math.max(1, burstMs * this.#perMs))
    this.#since = now
    if (this.#budget < 1)
      this.#timer ??= setTimeout(() => this.#filled(), Math.max(stepMs, (1 - this.#budget) / this.#perMs))
    return Math.floor(this.#budget)
  }

  spend(bytes: number): void {
    this.#budget -= bytes
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #filled(): void {
    this.#timer = undefined
    this.#onFilled()
  }
}
