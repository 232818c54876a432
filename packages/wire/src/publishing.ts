import { Tracked } from '@pairwire/contract'
import { type Answerer, Answering } from './answering.ts'
import type { Feed } from './callee.ts'
import { BAD_FRAME, ProtocolError } from './close.ts'
import { sendEvent } from './event.ts'
import { CURSOR, DONE } from './messages.ts'
import { iteratorOf, type Source } from './sender.ts'

/** What is kept of a subscription where it may have to be started again: see `Suspended`. */
export interface Recorded {
  /** The message it came with, as JSON, and that message's bytes. */
  readonly message: string
  readonly bytes: Uint8Array | undefined
  /** The id of the last event that was sent with one. */
  cursor: string | undefined
  /** Whether events without an id were sent. */
  untracked: boolean
  /** Whether its handler has started again, and its next event may be one that the caller had: the caller is told so first. */
  repeats: boolean
  /** Whether its handler has started again, and has not been read since. */
  isFresh: boolean
  /** What it was read then, while there was no credit for it. */
  held: IteratorResult<unknown> | undefined
}

/** Whoever keeps what subscriptions are made of, so that they can be started again: see `Suspended`. */
export interface Recorder {
  /** A subscription has begun, sent something, was granted more, or has ended. Comes often, and has to be cheap. */
  changed(call: Publishing): void
  /** A handler has asked for its signal, by which what it does with it can be told to be the call's. */
  signal(call: Publishing, signal: AbortSignal): void
}

/** Where a subscription is answered. */
export interface Publisher extends Answerer {
  readonly recorder: Recorder | undefined
}

type Events = Partial<Feed> & Pick<AsyncIterator<unknown>, 'next' | 'return'>

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'

/**
 * A subscription that is being answered. It sends what its handler yields, no faster than credit allows: that is in bytes,
 * each message is weighed, and each half window the reader is asked to grant what was sent once it has read that far.
 *
 * While there is nothing to send it waits with as little as can be: a topic knows whom to wake, and of a generator one
 * promise is asked.
 */
export class Publishing extends Answering {
  declare protected readonly answerer: Publisher
  /** Bytes of events that were sent and are not known to be read, and how many of those the reader was not asked about yet. */
  unread = 0
  unasked = 0
  record: Recorded | undefined
  #events: Events | undefined
  /** Its handler, or a schema, was asked and has not answered yet. */
  #asks = false

  override finish(source: unknown): void {
    try {
      this.#events = iteratorOf(source as Source) as Events
      // Where a topic's events begin, for a caller who has no id yet and may lose its connection before the first.
      const { cursor } = source as { readonly cursor?: unknown }
      if (this.silent) this.left()
      else if (typeof cursor === 'string' && this.lastEventId === undefined) this.#stand(cursor)
    } catch (error) {
      this.#refuse(error)
    }
    this.wake()
  }

  /** Sends what there is, as far as the window goes. */
  wake(): void {
    while (!this.silent && !this.#asks && this.#go(this.#events!)) {}
  }

  /**
   * The reader has read `n` more bytes.
   * @throws ProtocolError for more than was sent
   */
  grant(n: number): void {
    this.unread -= n
    if (this.unread < 0) {
      if (this.#events) throw new ProtocolError(BAD_FRAME, 'credit for more than was sent')
      this.unread = 0
    }
    this.note()
    if (this.#events) this.wake()
  }

  override note(): void {
    this.answerer.recorder?.changed(this)
  }

  override release(): void {
    const { released } = this
    super.release()
    if (!released) this.note()
  }

  protected override signalled(signal: AbortSignal): void {
    this.answerer.recorder?.signal(this, signal)
  }

  protected override left(): void {
    this.#leave()
    // A handler that was asked has not ended before it has answered.
    if (this.#events && !this.#asks) this.release()
    else this.note()
  }

  get #window(): number {
    const { limits, window: usual } = this.line!
    const { window = usual } = this.options
    return window > 0 ? Math.min(window, limits.window) : limits.window
  }

  /** Sends one event; false where there is none, or no room for it: whatever brings that wakes it again. */
  #go(events: Events): boolean {
    try {
      if (this.unread >= this.#window) this.#begin(events)
      else {
        const held = this.#held()
        const event = held ? held.value : events['~poll']?.()
        if (held || event !== undefined) {
          this.#pass(event)
          return true
        }
        if (!events['~wait']?.(this)) this.#pull(events)
      }
    } catch (error) {
      this.#refuse(error)
    }
    return false
  }

  /** A generator that had been read before is begun at once: what is left has to have begun, or its `finally` would not run. */
  #begin(events: Events): void {
    if (!this.record?.isFresh) return
    this.record.isFresh = false
    if (!events['~wait']) this.#pull(events)
  }

  #held(): IteratorResult<unknown> | undefined {
    const { record } = this
    if (!record) return undefined
    const { held } = record
    record.held = undefined
    record.isFresh = false
    return held
  }

  #pull(events: Events): void {
    this.#asks = true
    try {
      Promise.resolve(events.next()).then(this.#take.bind(this), this.#fail.bind(this))
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(step: IteratorResult<unknown>): void {
    this.#asks = false
    try {
      if (this.silent) this.release()
      else if (step.done) {
        this.line!.push(`[${DONE},${this.id}]`)
        this.release()
      } else if (this.unread >= this.#window) this.record!.held = step
      else {
        this.#pass(step.value)
        this.wake()
      }
    } catch (error) {
      this.#refuse(error)
    }
  }

  #pass(event: unknown): void {
    const { procedure } = this
    const checked = procedure.check ? procedure.check(event) : event
    if (procedure.check && isThenable(checked)) {
      this.#asks = true
      checked.then(
        (value) => {
          this.#asks = false
          if (this.silent) this.release()
          else this.#send(value)
          this.wake()
        },
        (error) => this.#refuse(error),
      )
    } else this.#send(checked)
  }

  #send(event: unknown): void {
    const { record } = this
    const line = this.line!
    try {
      if (event instanceof Tracked && event.bare) {
        this.#stand(event.id)
        return
      }
      if (record) {
        if (event instanceof Tracked) record.cursor = event.id
        else record.untracked = true
        if (record.repeats) line.push(`[${CURSOR},${this.id}]`)
        record.repeats = false
      }
      this.note()
      const weight = sendEvent(line, this.answerer.codec, this.id, event)
      this.unread += weight
      this.unasked += weight
      if (this.unasked * 2 < this.#window) return
      line.credit(this.id, -this.unasked)
      this.unasked = 0
    } catch (error) {
      this.#leave()
      this.fail(error, true)
    }
  }

  /** Tells the caller where it stands. */
  #stand(id: string): void {
    if (this.record) this.record.cursor = id
    this.note()
    this.line!.push(`[${CURSOR},${this.id},${JSON.stringify(id)}]`)
  }

  /** What the handler yields will not do. */
  #refuse(error: unknown): void {
    this.#leave()
    this.#fail(error)
  }

  /** The handler has failed. */
  #fail(error: unknown): void {
    const { procedure } = this
    const exposed = procedure.expose ? procedure.expose(error, this) : error
    this.#asks = isThenable(exposed)
    if (isThenable(exposed)) exposed.then((exposed) => this.fail(exposed))
    else this.fail(exposed)
  }

  #leave(): void {
    // A handler that will not be left, or throws at it, is its author's affair.
    try {
      Promise.resolve(this.#events?.return?.()).catch(() => {})
    } catch {}
  }
}
