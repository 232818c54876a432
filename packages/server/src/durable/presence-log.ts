import { type Tracked, tracked } from '@pairwire/contract'
import type { PresenceEvent } from '../presence-event.ts'
import type { Connection, Connections } from './connections.ts'
import type { SetFingerprint } from './fingerprint.ts'
import { type Member, Roster } from './roster.ts'

/** Who waits for the next event. */
export interface Waiting {
  /** There may be one. Runs no code of anybody else's. */
  wake(): void
}

type Event<M> = Tracked<PresenceEvent<M>>

/** How many changes are kept also where fewer are there: those who come and go are told, not only what is left of them. */
const FEW = 64

/**
 * The latest changes of a roster, for everyone who reads them. No more than there are members: who has missed more is told
 * who is there, which is shorter. Each event has as its id what stands for the members after it.
 */
export class PresenceLog<M extends Member> {
  readonly waiting: Set<Waiting> = new Set()
  readonly #roster: Roster<M>
  readonly #connections: Connections
  readonly #events: Event<M>[] = []
  /** The offset of the last change. */
  #last = 0
  /** What stood for the members before the oldest change that is kept. */
  #base: string
  /** What stood for the members that the object woke up with, and for those that were there before. */
  readonly #start: SetFingerprint
  #waking: boolean | undefined
  #all: { readonly at: number; readonly event: Event<M> } | undefined
  #changed = false
  #scheduled = false

  constructor(connections: Connections, describe: (identity: unknown) => M | undefined) {
    this.#roster = new Roster(connections, describe)
    this.#roster.update(() => {})
    this.#base = this.#roster.id
    this.#connections = connections
    this.#start = this.#roster.set
    connections.onMissed?.((connection) => this.#miss(connection))
    connections.onChange(() => {
      this.#changed = true
      this.#schedule()
    })
  }

  list(): M[] {
    this.#settle()
    return this.#roster.list()
  }

  /** The offset behind which there is what has happened since the members were those that an id stands for, if it is known. */
  find(id: string): number | undefined {
    this.#settle()
    if (id === this.#roster.id) return this.#last
    for (let i = this.#events.length - 1; i >= 0; i--) if (this.#events[i]!.id === id) return this.#first + i
    return id === this.#base ? this.#first - 1 : undefined
  }

  /**
   * Whether the object has just woken up, so that somebody may yet turn out to have left while it slept: the event that
   * woke it comes only when all others are awake. It is over, and readers are woken, before anything else happens.
   */
  get isWaking(): boolean {
    if (this.#waking === undefined) {
      this.#waking = true
      Promise.resolve(this.#connections.awake).finally(() =>
        // A timer of no time: it keeps the object awake no longer than the event does.
        setTimeout(() => {
          this.#waking = false
          for (const reader of this.waiting) reader.wake()
        }, 0),
      )
    }
    return this.#waking
  }

  /** The event behind an offset, or who is there, where there is none or too much has happened; undefined: none yet. */
  after(offset: number | undefined): { readonly at: number; readonly event: Event<M> } | undefined {
    if (offset === undefined || offset < this.#first - 1) {
      this.#settle()
      if (this.#all?.at !== this.#last) {
        const all = shared<M>(this.#roster.id, { type: 'all', members: this.#roster.list() })
        this.#all = { at: this.#last, event: all }
      }
      return this.#all
    }
    return offset < this.#last ? { at: offset + 1, event: this.#events[offset + 1 - this.#first]! } : undefined
  }

  wait(reader: Waiting): void {
    this.waiting.add(reader)
    this.#schedule()
  }

  get #first(): number {
    return this.#last - this.#events.length + 1
  }

  /** What changes within a turn is told together, and not at all where it is undone; and what nobody waits for, later. */
  #schedule(): void {
    if (!this.#changed || this.#scheduled || !this.waiting.size) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#settle()
      for (const reader of this.waiting) reader.wake()
    })
  }

  /** Somebody turns out to have been there when the object fell asleep: a change before all that are known. */
  #miss(connection: Connection): void {
    // Unless some of those are forgotten.
    if (this.#base !== `${this.#start}`) return
    const { member, print } = this.#roster.show(connection) ?? {}
    // It has changed nothing where another connection still shows the same.
    if (!member || !print || this.#roster.has(member.id)) return
    this.#events.unshift(shared(this.#base, { type: 'leave', member }))
    this.#start.add(print)
    this.#base = `${this.#start}`
    queueMicrotask(() => {
      for (const reader of this.waiting) reader.wake()
    })
  }

  #settle(): void {
    if (!this.#changed) return
    this.#changed = false
    this.#roster.update((event) => {
      this.#events.push(shared(this.#roster.id, event))
      this.#last++
    })
    const excess = this.#events.length - Math.max(FEW, this.#roster.size)
    if (excess > 0) this.#base = this.#events.splice(0, excess).at(-1)!.id
  }
}

/** An event that many are given: what is made of it to be sent is made once. */
const shared = <M>(id: string, data: PresenceEvent<M>): Event<M> => tracked(id, data).share()
