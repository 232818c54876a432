import type { ListenerOptions, SocketListener } from './listener.ts'
import type { SocketEvent } from './socket-event.ts'

interface Entry {
  readonly listener: SocketListener<never>
  readonly call: (event: SocketEvent) => unknown
  readonly once: boolean
  removed: boolean
}

/**
 * The listeners for one type of event, in order, each once.
 *
 * Kept here and not left to the platform, because Node tells listeners that were added during the event, forgets
 * `currentTarget` after the first listener, and ends the process when one throws.
 */
export class ListenerList {
  #entries: readonly Entry[] = []

  add(listener: SocketListener<never>, self: unknown, options: ListenerOptions): void {
    const { once, signal } = options
    if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
      const where = "Incorrect type for the 'signal' field on 'AddEventListenerOptions'"
      throw new TypeError(`${where}: the provided value is not of type 'AbortSignal'.`)
    }
    if (signal?.aborted || this.#entries.some((entry) => entry.listener === listener)) return
    // read once, now, as workerd does: a handleEvent that is replaced later stays the old one
    const call: unknown = typeof listener === 'function' ? listener.bind(self) : listener.handleEvent.bind(listener)
    const entry = { listener, call: call as Entry['call'], once: Boolean(once), removed: false }
    this.#entries = [...this.#entries, entry]
    signal?.addEventListener('abort', () => this.remove(listener))
  }

  remove(listener: SocketListener<never>): void {
    for (const entry of this.#entries) if (entry.listener === listener) entry.removed = true
    this.#entries = this.#entries.filter((entry) => !entry.removed)
  }

  /** Those who listen now, one after the other; who is removed meanwhile is left out, who is added is not heard. */
  *calls(): Iterable<Entry['call']> {
    for (const entry of this.#entries) {
      if (entry.removed) continue
      if (entry.once) this.remove(entry.listener)
      yield entry.call
    }
  }
}
