/** An event of a subscription with an id, which a later call may bring as `lastEventId`. Clients do not keep it yet. */
export class Tracked<T> {
  readonly id: string
  readonly data: T
  constructor(id: string, data: T) {
    this.id = id
    this.data = data
  }
}

/**
 * Gives an event of a subscription an id, behind which a later subscription can begin.
 *
 * @example
 * yield tracked(`${epoch}.${offset}`, message)
 */
export const tracked = <T>(id: string, data: T): Tracked<T> => new Tracked(id, data)
