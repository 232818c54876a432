/** What was made of an event, and by whom. There are few of these, and a list costs less than a Map for each event. */
interface Made {
  readonly by: unknown
  readonly value: unknown
  readonly next: Made | undefined
}

/**
 * An event of a subscription with an id, or with `bare` an id alone: where the subscriber stands.
 *
 * A client keeps the last id it was given, and after a lost connection calls again with it as `lastEventId`. A handler
 * that begins behind that id loses nothing and repeats nothing. Events without an id leave the last id as it is.
 */
export class Tracked<T> {
  readonly id: string
  /** The event; undefined where there is none. */
  readonly data: T
  /** Whether there is no event: the id is kept, and the subscriber's code sees nothing of it. */
  readonly bare: boolean
  /** Whether it is one that many are given, whose data stays as it is. */
  #isShared = false
  #made: Made | undefined

  constructor(id: string, data: T, bare = false) {
    this.id = id
    this.data = data
    this.bare = bare
  }

  /** Many are given this event: what is made of it for the first of them is kept for the others. Its data must not change any more. */
  share(): this {
    this.#isShared = true
    return this
  }

  /** Nothing more is kept. */
  unshare(): void {
    this.#isShared = false
    this.#made = undefined
  }

  get isShared(): boolean {
    return this.#isShared
  }

  /** What was kept of it by this maker. */
  made(by: unknown): unknown {
    for (let made = this.#made; made; made = made.next) if (made.by === by) return made.value
    return undefined
  }

  /** Keeps what was made of it, where it is shared. */
  keep(by: unknown, value: unknown): void {
    if (this.#isShared) this.#made = { by, value, next: this.#made }
  }
}

/**
 * Gives an event of a subscription an id, behind which the subscription resumes after a lost connection: the handler
 * is called again, with the id as `lastEventId`.
 *
 * @example
 * yield tracked(`${epoch}.${offset}`, message)
 */
export const tracked = <T>(id: string, data: T): Tracked<T> => new Tracked(id, data)

/**
 * Tells a subscriber where it stands without giving it an event, so that a subscription that has had no event yet can
 * resume there after a lost connection.
 *
 * Begin to read before you yield it, or what happens in between is lost.
 *
 * @example
 * const events = topic.subscribe({ lastEventId, signal })
 * if (events.cursor) yield cursor(events.cursor)
 * for await (const { id, data } of events) if (data.room === room) yield tracked(id, data)
 */
export const cursor = (id: string): Tracked<never> => new Tracked(id, undefined as never, true)
