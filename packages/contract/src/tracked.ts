/** An event of a subscription with a cursor: the client hands the last `id` it saw back as `lastEventId`. */
export class Tracked<T> {
  readonly id: string
  readonly data: T
  constructor(id: string, data: T) {
    this.id = id
    this.data = data
  }
}

/**
 * Gives an event of a subscription an id, from which a later subscription can resume.
 *
 * @example
 * yield tracked(`${epoch}.${offset}`, message)
 */
export const tracked = <T>(id: string, data: T): Tracked<T> => new Tracked(id, data)
