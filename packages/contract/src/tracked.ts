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
  #memo: Map<unknown, unknown> | undefined

  constructor(id: string, data: T, bare = false) {
    this.id = id
    this.data = data
    this.bare = bare
  }

  /**
   * Of an event that many subscribers are given: what was made of it for the first of them, by whoever made it, so that it
   * is made once. Its data must not change any more.
   */
  get memo(): Map<unknown, unknown> | undefined {
    return this.#memo
  }

  set memo(memo: Map<unknown, unknown> | undefined) {
    this.#memo = memo
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
