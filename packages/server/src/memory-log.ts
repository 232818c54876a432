import { type Tracked, tracked } from '@pairwire/contract'
import { Later } from './later.ts'
import type { Retention } from './retention.ts'
import { idAt, type TopicLog, type Waiting } from './topic-log.ts'
import { weigh } from './weigh.ts'

interface Entry<T> {
  readonly event: Tracked<T>
  readonly weight: number
  /** When it was published, in milliseconds since the epoch; 0 where nobody asks. */
  readonly at: number
}

/** What an event takes besides its value: its id, its entry, its slot. */
const ENTRY = 128
/** How many of the newest events keep what was made of them for the first of their subscribers. */
const SHARED = 64
/** Slots that are not worth making room for. */
const FEW = 32

/** The newest events of a topic, in memory. Offsets start at 1 and never start again. */
export class MemoryLog<T> implements TopicLog<T> {
  readonly epoch: string
  readonly later: Later = new Later()
  readonly #waiting: Set<Waiting> = new Set()
  readonly #retention: Retention
  /** Those before the head are gone, and their slots empty. */
  #entries: (Entry<T> | undefined)[] = []
  #head = 0
  #bytes = 0
  #last = 0

  constructor(epoch: string, retention: Retention) {
    this.epoch = epoch
    this.#retention = retention
  }

  get last(): number {
    return this.#last
  }

  get ready(): number {
    return this.#last
  }

  get first(): number {
    return this.#last - this.#length + 1
  }

  get #length(): number {
    return this.#entries.length - this.#head
  }

  append(value: T): void {
    const { retain, bytes, age } = this.#retention
    // First, as it may run code of the value's.
    const weight = ENTRY + weigh(value)
    this.trim()
    const at = age === Infinity ? 0 : Date.now()
    const event = tracked(idAt(this, ++this.#last), value).share()
    this.#entries.push({ event, weight, at })
    this.#bytes += weight
    // By now most have been sent it, and it is not accounted for.
    const older = this.#entries[this.#entries.length - 1 - SHARED]
    older?.event.unshare()
    while (this.#length > retain || (this.#bytes > bytes && this.#length > 1)) this.#drop()
    for (const reader of this.#waiting) reader.wake()
  }

  read(offset: number): Tracked<T> {
    return this.#entries[this.#entries.length - 1 - (this.#last - offset)]!.event
  }

  trim(): void {
    const { age } = this.#retention
    if (age === Infinity) return
    const since = Date.now() - age
    while (this.#length > 0 && this.#entries[this.#head]!.at < since) this.#drop()
  }

  wait(reader: Waiting): void {
    this.#waiting.add(reader)
  }

  leave(reader: Waiting): void {
    this.#waiting.delete(reader)
  }

  // What is published here stays so, and nobody else publishes.
  refresh(): void {}
  mind(): void {}

  #drop(): void {
    this.#bytes -= this.#entries[this.#head]!.weight
    // The event is garbage now; its slot is when there are as many empty ones as full ones, so that it costs little.
    this.#entries[this.#head++] = undefined
    if (this.#head >= FEW && this.#head >= this.#length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }
}
