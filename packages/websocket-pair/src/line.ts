import type { Frame } from './data.ts'
import { Queue } from './queue.ts'
import { schedule } from './schedule.ts'

/**
 * One direction of a pair: a queue with at most one frame under way.
 *
 * A frame is handed over in a turn of its own, and the next one starts only afterwards. This is what gives the order of
 * workerd between the two directions and between several pairs: everyone takes turns.
 */
export class Line {
  readonly #deliver: (frame: Frame) => void
  #frames = new Queue<Frame>()
  #underWay = false
  #reading = false
  #bytes = 0

  constructor(deliver: (frame: Frame) => void) {
    this.#deliver = deliver
  }

  /** Bytes of the messages not yet handed over. Close frames do not count. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when nothing waits behind the frame that is under way, if any. */
  get drained(): boolean {
    return this.#frames.length <= (this.#underWay ? 1 : 0)
  }

  /** True when no frame is left. */
  get empty(): boolean {
    return this.#frames.length === 0
  }

  /** Adds a frame. Returns true when the receiver was waiting for it, so that it leaves at once. */
  push(frame: Frame): boolean {
    const direct = this.#reading && !this.#underWay
    this.#frames.push(frame)
    this.#bytes += frame.size
    this.#next()
    return direct
  }

  /** The receiver begins to read. */
  read(): void {
    this.#reading = true
    this.#next()
  }

  /** The receiver reads no more; what is queued stays where it is. */
  stop(): void {
    this.#reading = false
  }

  /** Forgets what is queued: it will never be read. */
  clear(): void {
    this.#frames = new Queue()
    this.#bytes = 0
  }

  #next(): void {
    if (this.#underWay || !this.#reading || this.empty) return
    this.#underWay = true
    schedule(() => this.#hand())
  }

  #hand(): void {
    const frame = this.#reading ? this.#frames.shift() : undefined
    if (frame !== undefined) {
      this.#bytes -= frame.size
      this.#deliver(frame)
    }
    this.#underWay = false
    this.#next()
  }
}
