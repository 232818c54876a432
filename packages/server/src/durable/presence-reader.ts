import type { Tracked } from '@pairwire/contract'
import type { PresenceEvent } from '../presence-event.ts'
import type { TopicEvents } from '../topic.ts'
import type { PresenceLog } from './presence-log.ts'
import type { Member } from './roster.ts'

type Step<M> = IteratorResult<Tracked<PresenceEvent<M>>, undefined>

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** One subscriber's way through who comes and goes. Like any reader of a topic it holds a place in the log, and no events. */
export class PresenceReader<M extends Member> implements TopicEvents<PresenceEvent<M>> {
  readonly cursor: string | undefined
  readonly #log: PresenceLog<M>
  readonly #signal: AbortSignal | undefined
  /** The offset of what was read last; undefined before anything was. */
  #at: number | undefined
  /** What it was to begin behind. */
  readonly #from: string | undefined
  /** Who called next() and has no answer yet, in order. */
  readonly #reads: ((step: Step<M>) => void)[] = []
  #listens = false
  #ended = false

  constructor(log: PresenceLog<M>, lastEventId: string | undefined, signal: AbortSignal | undefined) {
    this.#log = log
    this.#signal = signal
    this.#from = lastEventId
    this.#at = lastEventId === undefined ? undefined : log.find(lastEventId)
    if (this.#at !== undefined) this.cursor = lastEventId
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step<M>> {
    if (this.#signal?.aborted) this.#end()
    return new Promise((resolve) => {
      this.#reads.push(resolve)
      this.wake()
    })
  }

  return(): Promise<Step<M>> {
    this.#end()
    this.wake()
    return Promise.resolve(DONE)
  }

  /** Answers as many reads as can be. */
  wake(): void {
    while (this.#reads.length > 0) {
      const step = this.#ended ? undefined : this.#next()
      if (step) this.#at = step.at
      else if (!this.#ended) break
      this.#reads.shift()!(step ? { done: false, value: step.event } : DONE)
    }
    if (this.#reads.length === 0) this.#log.waiting.delete(this)
    else {
      this.#log.wait(this)
      if (!this.#listens) {
        this.#listens = true
        this.#signal?.addEventListener('abort', this.#abort)
      }
    }
  }

  #next(): ReturnType<PresenceLog<M>['after']> {
    const from = this.#from
    if (this.#at === undefined && from !== undefined) {
      this.#at = this.#log.find(from)
      if (this.#at === undefined && this.#log.isWaking) return undefined
    }
    return this.#log.after(this.#at)
  }

  readonly #abort = (): void => {
    this.#end()
    this.wake()
  }

  /** To be followed by wake(), which tells those who ask. */
  #end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#listens) this.#signal?.removeEventListener('abort', this.#abort)
  }
}
