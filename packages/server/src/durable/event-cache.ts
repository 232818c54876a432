import type { Tracked } from '@pairwire/contract'
import type { StoredEvent } from './stored-event.ts'

/** An event that was published or read a short time ago. */
export interface CachedEvent {
  readonly size: number
  /** As it is stored, until somebody reads it. */
  stored: StoredEvent | undefined
  /** What all of its readers are given. */
  event: Tracked<unknown> | undefined
}

/** The events that were last used in an object, of all its topics, by their ids. */
export class EventCache {
  readonly #entries = new Map<string, CachedEvent>()
  readonly #count: number
  readonly #bytes: number
  #size = 0

  /** @param count of events, and `bytes` of what they take where they are stored: both hold, but for the newest event */
  constructor(count: number, bytes: number) {
    this.#count = count
    this.#bytes = bytes
  }

  get(id: string): CachedEvent | undefined {
    const entry = this.#entries.get(id)
    if (!entry) return
    // The last one used is the last to go.
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    return entry
  }

  /** One that is known is not replaced: its readers share it. */
  add(id: string, stored: StoredEvent): CachedEvent {
    const known = this.get(id)
    if (known) return known
    const entry: CachedEvent = { size: stored.size, stored, event: undefined }
    this.#entries.set(id, entry)
    this.#size += entry.size
    for (const old of this.#entries.keys()) {
      if (old === id || (this.#entries.size <= this.#count && this.#size <= this.#bytes)) break
      this.delete(old)
    }
    return entry
  }

  delete(id: string): void {
    this.#size -= this.#entries.get(id)?.size ?? 0
    this.#entries.delete(id)
  }
}
