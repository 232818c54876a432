import { RpcError, type Tracked, tracked } from '@pairwire/contract'
import type { Feed } from '@pairwire/wire'
import type { TopicEvents, TopicSubscription } from './topic.ts'
import { idAt, offsetOf, type Standing, type TopicLog, type Waiting } from './topic-log.ts'

/** Loads the state as it is, for a reader that has nothing to go on from. */
interface Snapshots<T> {
  readonly load: NonNullable<TopicSubscription<T>['snapshot']>
  /** How many were overtaken in a row. */
  attempts: number
  loading: boolean
  loaded: Tracked<T> | undefined
}

/** What is to be known of a reader where its subscription may have to start again. */
interface Place {
  /** The ids that it was given last, and that it has asked to go on behind. */
  given: string | undefined
  consumed: string | undefined
  readonly moved: () => void
}

interface Read<T> {
  resolve(step: IteratorResult<Tracked<T>, undefined>): void
  reject(error: unknown): void
}

/** How many snapshots in a row may be overtaken before they are ready. */
const ATTEMPTS = 3
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * One subscriber's way through a log. It holds the log; the log holds it only while somebody waits for its next event,
 * and its signal only from then on: who is not read can be forgotten.
 *
 * There may be thousands that wait. One that is read by `~poll` and `~wait` does it without a promise.
 */
export class TopicReader<T> implements TopicEvents<T>, Feed, Waiting, Standing {
  readonly #log: TopicLog<T>
  readonly #signal: AbortSignal | undefined
  #snapshots: Snapshots<T> | undefined
  #place: Place | undefined
  /** Whose offsets it counts. */
  #epoch = ''
  /** The offset of the event to be read next; 0, which never is there, where it is not known. */
  #next = 0
  /** The id that it started behind. */
  #cursor: string | undefined
  /** Who called next() and has no answer yet, in order. */
  #reads: Read<T>[] | undefined
  /** Who is to be woken when there may be more, and what is kept for it until it comes for it. */
  #reader: { wake(): void } | undefined
  #caught: Tracked<T> | undefined
  #failure: { readonly error: unknown } | undefined
  #listens = false
  #ended = false

  constructor(log: TopicLog<T>, { lastEventId, signal, snapshot }: TopicSubscription<T>) {
    this.#log = log
    this.#signal = signal
    if (snapshot) this.#snapshots = { load: snapshot, attempts: 0, loading: false, loaded: undefined }
    if (signal?.aborted) this.#end()
    log.refresh()
    log.trim()
    const offset = lastEventId !== undefined ? offsetOf(log, lastEventId) : snapshot ? undefined : log.last
    if (offset !== undefined) {
      this.#stand(offset)
      this.#cursor = idAt(log, offset)
    } else if (this.#snapshots) this.#load(this.#snapshots)
  }

  get cursor(): string | undefined {
    const log = this.#log
    // It may stand behind what has been undone by now.
    if (log.ready < log.last) this.#attempt(() => log.refresh())
    return this.#cursor
  }

  /**
   * The id of the last event that was consumed: after which the next one was asked for. Before that, the id that the
   * reader started behind; undefined where that has to be a snapshot. To be asked of a reader that is followed.
   */
  get position(): string | undefined {
    return this.#place?.consumed ?? this.cursor
  }

  /** Calls it whenever its position has changed. */
  follow(moved: () => void): void {
    this.#place = { given: undefined, consumed: undefined, moved }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Tracked<T>, undefined>> {
    this.#ask()
    this.#reader = undefined
    return new Promise((resolve, reject) => {
      this.#reads ??= []
      this.#reads.push({ resolve, reject })
      this.wake()
    })
  }

  '~poll'(): Tracked<T> | undefined {
    if (this.#isBusy) return undefined
    this.#ask()
    const event = this.#caught ?? (this.#isThere ? this.#read() : undefined)
    this.#caught = undefined
    if (event && this.#place) this.#place.given = event.id
    return event
  }

  '~wait'(reader: { wake(): void }): boolean {
    // What is lost, or there although it could not be had just now, is for next() to tell.
    if (this.#isBusy || this.#isLost || this.#isThere) return false
    this.#reader = reader
    this.#wait()
    return true
  }

  return(): Promise<IteratorResult<Tracked<T>, undefined>> {
    this.#reader = undefined
    this.#end()
    this.wake()
    return Promise.resolve(DONE)
  }

  /** Answers as many reads as can be. */
  wake(): void {
    const reads = this.#reads
    if (this.#reader && !reads?.length) {
      this.#catch()
      return
    }
    while (reads?.length) {
      try {
        if (this.#answer(reads)) continue
        this.#listen()
        return
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#log.leave(this)
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

  /** Tells who is to be woken. */
  run(): void {
    this.#reader?.wake()
  }

  /** Its signal has fired. */
  handleEvent(): void {
    this.#end()
    this.wake()
  }

  /** Whether no event can be had without next(), which others may have called before. */
  get #isBusy(): boolean {
    const { loading, loaded } = this.#snapshots ?? {}
    return !!(this.#ended || this.#failure || loading || loaded || this.#reads?.length || this.#signal?.aborted)
  }

  get #isLost(): boolean {
    return this.#epoch !== this.#log.epoch || this.#next < this.#log.first
  }

  get #isThere(): boolean {
    return !this.#isLost && this.#next <= this.#log.ready
  }

  /** What may be gone before who waits for it comes for it is kept: so much is given to all who wait for it. */
  #catch(): void {
    if (this.#caught) return
    try {
      if (!this.#isBusy && this.#isThere) this.#caught = this.#read()
    } catch (error) {
      this.#fail(error)
    }
    if (this.#ended) this.#log.leave(this)
    this.#log.later.add(this)
  }

  /** Answers who asked first; false where nothing can be said yet. */
  #answer(reads: Read<T>[]): boolean {
    const snapshots = this.#snapshots
    if (this.#failure) {
      reads.shift()!.reject(this.#failure.error)
      this.#failure = undefined
    } else if (this.#ended) reads.shift()!.resolve(DONE)
    else if (this.#caught) {
      this.#give(reads, this.#caught)
      this.#caught = undefined
    } else if (snapshots?.loading) return false
    else if (this.#isLost) {
      // A snapshot would show what may yet be undone.
      if (snapshots && this.#log.ready < this.#log.last) return this.#wait()
      this.#recover()
    } else if (snapshots?.loaded) {
      this.#give(reads, snapshots.loaded)
      snapshots.loaded = undefined
      snapshots.attempts = 0
    } else if (this.#isThere) {
      const event = this.#read()
      if (event) this.#give(reads, event)
      else this.#next = 0
    } else return this.#wait()
    return true
  }

  /** The next event, which is to be there; undefined where it is lost after all. */
  #read(): Tracked<T> | undefined {
    const event = this.#log.read(this.#next)
    if (event) this.#next++
    return event
  }

  /** What was given has been dealt with. */
  #ask(): void {
    if (this.#signal?.aborted) this.#end()
    const place = this.#place
    if (place && place.consumed !== place.given) {
      place.consumed = place.given
      place.moved()
    }
    try {
      this.#log.trim()
    } catch (error) {
      this.#fail(error)
    }
  }

  #wait(): false {
    this.#log.wait(this)
    this.#listen()
    return false
  }

  #listen(): void {
    if (this.#listens) return
    this.#listens = true
    this.#signal?.addEventListener('abort', this)
  }

  #give(reads: Read<T>[], value: Tracked<T>): void {
    if (this.#place) this.#place.given = value.id
    reads.shift()!.resolve({ done: false, value })
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

  /** Events that were to be read are gone. */
  #recover(): void {
    const snapshots = this.#snapshots
    if (!snapshots) this.#fail(new RpcError('DATA_LOSS', 'events after the last one seen are no longer retained'))
    else if (snapshots.attempts === ATTEMPTS)
      this.#fail(new RpcError('DATA_LOSS', 'more events than are retained were published while a snapshot was loading'))
    else this.#load(snapshots)
  }

  #load(snapshots: Snapshots<T>): void {
    // The position comes first: an event published meanwhile is sent, whether or not the snapshot shows it.
    this.#log.refresh()
    this.#stand(this.#log.last)
    snapshots.attempts++
    snapshots.loading = true
    new Promise<T>((resolve) => resolve(snapshots.load())).then(
      (value) => {
        if (this.#ended) return
        snapshots.loading = false
        snapshots.loaded = tracked(`${this.#epoch}.${this.#next - 1}`, value)
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
    this.#snapshots = undefined
    this.#caught = undefined
    if (this.#listens) this.#signal?.removeEventListener('abort', this)
  }
}
