import { evictDurableObject } from 'cloudflare:test'
import { sleep } from '../suites/place.ts'

/** Whether the object is to be evicted at the n-th point, counted from 1. */
export type Choose = (point: number) => boolean

export const everywhere: Choose = () => true
export const onlyAt =
  (n: number): Choose =>
  (point) =>
    point === n
/** About one point of so many, and always the same for the same seed. */
export const sometimes = (seed: number, of: number): Choose => {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32 < 1 / of
  }
}

/** Milliseconds that a frame waits for an eviction: an object that waits for a handler may need that very frame. */
const PATIENCE = 40

/** Evicts one object between any two frames of its sockets. */
export class Evictor {
  /** How often frames came or went, in any direction. */
  points = 0
  /** At how many of them the object was not in memory when the frame went on. */
  asleep = 0
  /** How often it was put out of memory. */
  evictions = 0
  readonly #stub: () => DurableObjectStub
  readonly #choose: Choose
  #pending: Promise<boolean> | undefined

  /** @param stub gives one that works: where the object has crashed, those from before do not any more */
  constructor(stub: () => DurableObjectStub, choose: Choose = everywhere) {
    this.#stub = stub
    this.#choose = choose
  }

  /**
   * Evicts it now. Waits until that is done, but not for a handler that runs: the platform lets that end first, and evicts the
   * object then.
   */
  async evict(): Promise<void> {
    // One that has to wait for a handler has waited its time, and comes to pass by itself.
    if (this.#pending) return
    const pending = evictDurableObject(this.#stub()).then(
      () => {
        this.evictions++
        return true
      },
      // It is not in memory.
      () => true,
    )
    this.#pending = pending
    pending.then(() => {
      this.#pending = undefined
    })
    if (await Promise.race([pending, sleep(PATIENCE)])) this.asleep++
  }

  /** A frame is about to go on. */
  async point(): Promise<void> {
    if (this.#choose(++this.points)) await this.evict()
  }
}
