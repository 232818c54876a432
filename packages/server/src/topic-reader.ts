import { RpcError, type Tracked, tracked } from '@pairwire/contract'
import type { TopicEvents, TopicSubscription } from './topic.ts'

/** Who waits for the next event of a log. */
export interface Waiting {
  /** There is one. Runs no code of anybody else's. */
  wake(): void
  /** There may be one, but the log cannot be read. */
  fail(error: unknown): void
}

/** Who stands behind an event that may yet be undone. */
export interface Standing {
  /** What was published after this offset never was. */
  rewind(last: number): void
}

/** What a reader needs of a log. */
export interface TopicLog<T> {
  /** Another one where what readers hold on to is gone. */
  readonly epoch: string
  /** The offset of the oldest event that is still there; one behind the last if there is none. */
  readonly first: number
  /** The offset of the last event published; 0 before any. */
  readonly last: number
  /** The offset of the last event that may be read: behind `last` while the publishing of what follows may be undone. */
  readonly ready: number
  /** Looks what is there, for a reader that is about to take its place. */
  refresh(): void
  /** Lets go of what has become too old. Not while readers are woken: the last of them would find nothing. */
  trim(): void
  /** The event at an offset from `first` to `ready`, the same object for everyone; undefined where it is lost after all. */
  read(offset: number): Tracked<T> | undefined
  /** Wakes a reader each time there is more, until it leaves. */
  wait(reader: Waiting): void
  leave(reader: Waiting): void
  /** Tells a reader that stands behind `last` if the publishing of that is undone. */
  mind(reader: Standing): void
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
export class TopicReader<T> implements TopicEvents<T>, Waiting, Standing {
  /** Called when its position has changed. */
  moved: (() => void) | undefined
  readonly #log: TopicLog<T>
  readonly #signal: AbortSignal | undefined
  #snapshot: TopicSubscription<T>['snapshot']
  /** Whose offsets it counts. */
  #epoch = ''
  /** The offset of the event to be read next; 0, which never is there, where it is not known. */
  #next = 0
  /** The ids it started behind, it was given last, and it has asked to go on behind. */
  #cursor: string | undefined
  #given: string | undefined
  #consumed: string | undefined
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
    log.refresh()
    log.trim()
    const offset = lastEventId !== undefined ? offsetOf(log, lastEventId) : snapshot ? undefined : log.last
    if (offset !== undefined) {
      this.#stand(offset)
      this.#cursor = idAt(log, offset)
    } else if (this.#snapshot) this.#load()
  }

  get cursor(): string | undefined {
    const log = this.#log
    // It may stand behind what has been undone by now.
    if (log.ready < log.last) this.#attempt(() => log.refresh())
    return this.#cursor
  }

  /**
   * The id of the last event that was consumed: after which the next one was asked for. Before that, the id that the
   * reader started behind; undefined where that has to be a snapshot.
   */
  get position(): string | undefined {
    return this.#consumed ?? this.cursor
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Tracked<T>, undefined>> {
    if (this.#signal?.aborted) this.#end()
    this.#consume()
    this.#attempt(() => this.#log.trim())
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject })
      this.wake()
    })
  }

  /** The next event, if it is there and nobody has asked before; what is there costs no promise then. Undefined: ask `next`. */
  poll(): Tracked<T> | undefined {
    const log = this.#log
    if (this.#ended || this.#loading || this.#loaded || this.#failure || this.#reads.length || this.#signal?.aborted)
      return
    this.#consume()
    this.#attempt(() => log.trim())
    if (this.#epoch !== log.epoch || this.#next < log.first || this.#next > log.ready) return
    const event = log.read(this.#next)
    if (!event) return
    this.#next++
    this.#given = event.id
    return event
  }

  return(): Promise<IteratorResult<Tracked<T>, undefined>> {
    this.#end()
    this.wake()
    return Promise.resolve(DONE)
  }

  /** Answers as many reads as can be. */
  wake(): void {
    const reads = this.#reads
    while (reads.length > 0) {
      try {
        if (!this.#answer(reads)) break
      } catch (error) {
        this.#fail(error)
      }
    }
    if (reads.length === 0) this.#log.leave(this)
    else if (!this.#listens) {
      this.#listens = true
      this.#signal?.addEventListener('abort', this.#abort)
    }
  }

  fail(error: unknown): void {
    this.#fail(error)
    this.wake()
  }

  rewind(last: number): void {
    if (this.#next <= last + 1) return
    this.#next = last + 1
    if (this.#cursor !== undefined) this.#cursor = `${this.#epoch}.${last}`
  }

  /** Answers who asked first; false where nothing can be said yet. */
  #answer(reads: Read<T>[]): boolean {
    const log = this.#log
    if (this.#failure) {
      reads.shift()!.reject(this.#failure.error)
      this.#failure = undefined
    } else if (this.#ended) reads.shift()!.resolve(DONE)
    else if (this.#loading) return false
    else if (this.#epoch !== log.epoch || this.#next < log.first) {
      // A snapshot would show what may yet be undone.
      if (this.#snapshot && log.ready < log.last) return this.#wait()
      this.#recover()
    } else if (this.#loaded) {
      this.#give(this.#loaded)
      this.#loaded = undefined
      this.#attempts = 0
    } else if (this.#next <= log.ready) {
      const event = log.read(this.#next)
      if (event) {
        this.#next++
        this.#give(event)
      } else this.#next = 0
    } else return this.#wait()
    return true
  }

  /** What was given has been dealt with. */
  #consume(): void {
    if (this.#consumed === this.#given) return
    this.#consumed = this.#given
    this.moved?.()
  }

  #wait(): false {
    this.#log.wait(this)
    return false
  }

  #give(value: Tracked<T>): void {
    this.#given = value.id
    this.#reads.shift()!.resolve({ done: false, value })
  }

  #attempt(look: () => void): void {
    try {
      look()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Takes a place behind an offset. */
  #stand(offset: number): void {
    this.#epoch = this.#log.epoch
    this.#next = offset + 1
    this.#log.mind(this)
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
    this.#log.refresh()
    this.#stand(this.#log.last)
    this.#attempts++
    this.#loading = true
    new Promise<T>((resolve) => resolve(snapshot())).then(
      (value) => {
        if (this.#ended) return
        this.#loading = false
        this.#loaded = tracked(`${this.#epoch}.${this.#next - 1}`, value)
        this.#attempt(() => this.#log.trim())
        this.wake()
      },
      (error) => this.fail(error),
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
