import type { Publishing } from '@pairwire/wire'
import type { Places } from './places.ts'

/** Where one subscription's handler stands in the topics that it reads by itself. */
export class CallPlaces implements Places {
  readonly #call: Publishing
  /** From before the object slept, and not asked for yet. */
  readonly #left: Map<string, string>
  readonly #readers = new Map<string, () => string | undefined>()

  readonly #changed: () => void

  constructor(left: Iterable<readonly [topic: string, id: string]>, call: Publishing, changed: () => void) {
    this.#left = new Map(left)
    this.#call = call
    this.#changed = changed
  }

  take(topic: string): string | undefined {
    const id = this.#left.get(topic)
    this.#left.delete(topic)
    // It goes on where it stood: nothing is missing, and nothing comes twice.
    if (id !== undefined && this.#call.record) this.#call.record.repeats = false
    return id
  }

  stand(topic: string, position: () => string | undefined): () => void {
    this.#readers.set(topic, position)
    this.#changed()
    return this.#changed
  }

  /** Undefined where there are none. */
  written(): [topic: string, id: string][] | undefined {
    const places = new Map(this.#left)
    for (const [topic, position] of this.#readers) {
      const id = position()
      if (id !== undefined) places.set(topic, id)
    }
    return places.size ? [...places] : undefined
  }
}
