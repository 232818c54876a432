import { RpcError, type Tracked, tracked } from '@pairwire/contract'
import type { TopicEvents, TopicSubscription } from './topic.ts'

/** Who waits for the next event of a log. */
export interface Waiting {
  /** There is one. Runs no code of anybody else's. */
  wake(): void
}

/** What a reader needs of a log. */
export interface TopicLog<T> {
  readonly epoch: string
  /** The offset of the oldest event that is still there; one behind the last if there is none. */
  readonly first: number
  /** The offset of the last event published; 0 before any. */
  readonly last: number
  /** Lets go of what has become too old. Not while readers are woken: the last of them would find nothing. */
  trim(): void
  /** The event at an offset from first to last. */
  read(offset: number): Tracked<T>
  /** Woken once there is more; they take themselves out. */
  readonly waiting: Set<Waiting>
}

interface Read<T> {
  resolve(step: IteratorResult<Tracked<T>, undefined>): void
  reject(error: unknown): void
}

/** How many snapshots in a row may be overtaken before they are ready. */
const ATTEMPTS = 3
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** The id of the event at an offset, or with 0 of the position before the first. */
export const idAt = (log: { readonly epoch: string }, offset: number): string => `${log.epoch}.${offset}`

/** The offset of an id, if all that came after it is still there. */
const offsetOf = (log: TopicLog<unknown>, id: unknown): number | undefined => {
  if (typeof id !== 'string' || !id.startsWith(`${log.epoch}.`)) return
  const digits = id.slice(log.epoch.length + 1)
  if (!/^(0|[1-9]\d{0,15})$/.test(digits)) return
  const offset = Number(digits)
  return offset >= log.first - 1 && offset <= log.last ? offset : undefined
}

/**
 * One subscriber's way through a log. It holds the log; the log holds it only while somebody waits for its next event,
 * and its signal only from then on: who is not read can be forgotten.
 */
export class TopicReader<T> implements TopicEvents<T> {
  readonly cursor: string | undefined
  readonly #log: TopicLog<T>
  readonly #signal: AbortSignal | undefined
  #snapshot: TopicSubscription<T>['snapshot']
  /** The offset of the event to be read next; 0, which never is there, where it is not known. */
  #next = 0
  /** Who called next() and has no answer yet, in order. */
  readonly #reads: Read<T>[] = []
  #attempts = 0
  #loading = false
  #loaded: Tracked<T> | undefined
  #failure: { readonly error: unknown } | undefined
  #listens = false
  #ended = false

  constructor(log: TopicLog<T>, { lastEventId, signal, snapshot }: TopicSubscription<T>) {
    this.#log = log
    this.#signal = signal
    this.#snapshot = snapshot
    if (signal?.aborted) this.#end()
    log.trim()
    const offset = lastEventId !== undefined ? offsetOf(log, lastEventId) : snapshot ? undefined : log.last
    if (offset !== undefined) {
      this.cursor = idAt(log, offset)
      this.#next = offset + 1
    } else if (this.#snapshot) this.#load()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Tracked<T>, undefined>> {
    if (this.#signal?.aborted) this.#end()
    this.#log.trim()
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject })
      this.wake()
    })
  }

  return(): Promise<IteratorResult<Tracked<T>, undefined>> {
    this.#end()
    this.wake()
    return Promise.resolve(DONE)
  }

  /** Answers as many reads as can be. */
  wake(): void {
    const log = this.#log
    const reads = this.#reads
    while (reads.length > 0) {
      if (this.#failure) {
        reads.shift()!.reject(this.#failure.error)
        this.#failure = undefined
      } else if (this.#ended) reads.shift()!.resolve(DONE)
      else if (this.#loading) break
      else if (this.#next < log.first) this.#recover()
      else if (this.#loaded) {
        reads.shift()!.resolve({ done: false, value: this.#loaded })
        this.#loaded = undefined
        this.#attempts = 0
      } else if (this.#next <= log.last) reads.shift()!.resolve({ done: false, value: log.read(this.#next++) })
      else {
        log.waiting.add(this)
        break
      }
    }
    if (reads.length === 0) log.waiting.delete(this)
    else if (!this.#listens) {
      this.#listens = true
      this.#signal?.addEventListener('abort', this.#abort)
    }
  }

  readonly #abort = (): void => {
    this.#end()
    this.wake()
  }

  /** Events that were to be read are gone. */
  #recover(): void {
    if (!this.#snapshot) this.#fail(new RpcError('DATA_LOSS', 'events after the last one seen are no longer retained'))
    else if (this.#attempts === ATTEMPTS)
      this.#fail(new RpcError('DATA_LOSS', 'more events than are retained were published while a snapshot was loading'))
    else this.#load()
  }

  #load(): void {
    const snapshot = this.#snapshot!
    // The position comes first: an event published meanwhile is sent, whether or not the snapshot shows it.
    const { last } = this.#log
    this.#next = last + 1
    this.#attempts++
    this.#loading = true
    new Promise<T>((resolve) => resolve(snapshot())).then(
      (value) => {
        if (this.#ended) return
        this.#loading = false
        this.#loaded = tracked(idAt(this.#log, last), value)
        this.#log.trim()
        this.wake()
      },
      (error) => {
        this.#fail(error)
        this.wake()
      },
    )
  }

  #fail(error: unknown): void {
    if (this.#ended) return
    this.#end()
    this.#failure = { error }
  }

  /** To be followed by wake(), which tells those who ask. */
  #end(): void {
    this.#ended = true
    this.#failure = undefined
    this.#snapshot = undefined
    this.#loaded = undefined
    if (this.#listens) this.#signal?.removeEventListener('abort', this.#abort)
  }
}
