import { type Gap, RpcError, type RpcErrorOptions, toRpcError } from '@pairwire/contract'
import type { Caller } from './caller.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import { type Inbox, type InboxOwner, StreamInbox } from './inbox.ts'
import { CREDIT, CURSOR, DONE, ERROR, EVENT, RESULT } from './messages.ts'
import type { Peer } from './peer.ts'
import { report } from './report.ts'
import type { Source } from './sender.ts'

/** As long as timers run: 24 days. A longer timeout, such as Infinity, is cut to it. */
const MAX_TIMEOUT = 2_147_483_647

/** What a user may say of one call. */
export interface CallSettings {
  signal?: AbortSignal | undefined
  /** Milliseconds. Without it a call has the default of its client and a subscription has none. */
  timeout?: number | undefined
  stream?: Source | undefined
  lastEventId?: string | undefined
  metadata?: Record<string, string> | undefined
  key?: string | undefined
  onGap?: ((gap: Gap) => unknown) | undefined
}

/** What a subscriber hears. */
export interface Handlers<T> {
  /** Each event, in order; the next one waits for a promise that this returns. */
  onData?(event: T): unknown
  /** The subscription ended early; nothing follows. */
  onError?(error: RpcError): void
  /** The subscription ended by itself; nothing follows. */
  onDone?(): void
  /** Events may be missing here; others follow. Without it the subscription ends with DATA_LOSS instead. */
  onGap?(gap: Gap): unknown
}

/** Whoever has a call carried hears of it through this. */
export interface CallOwner {
  /** It ended. Comes once. */
  ended(call: Call): void
  /** Its user reads it as a stream, so it is a subscription. May come more than once. */
  streams(call: Call): void
  /** Asks to be opened again, with no error told, after this many milliseconds; false where it cannot be. */
  again?(call: Call, delay: number): boolean
  /** Why there is no connection; nothing where there is one. */
  problem?(): string
}

/** Fulfils a promise, and rejects it. */
type Settlers = readonly [resolve: (value: unknown) => void, reject: (error: unknown) => void]

/**
 * One call as its user holds it: a promise and async-iterable at once, since whoever calls does not know which of the
 * two the procedure is. It outlives the socket that carries it, and ends exactly once.
 *
 * A class: as a closure with a function for all it can do, each call would be two kilobytes of garbage. A promise, and
 * nothing like one: that would be awaited through three others.
 */
export class Call extends Promise<unknown> implements AsyncIterable<unknown, undefined>, Caller, Expiring, InboxOwner {
  /** By which it is known on each socket that carries it; 0 before the first. */
  id = 0
  /** Whether its user reads it as a stream. */
  isStream = false
  /** How many of the places it takes that the other end has for calls: 1 or none, which its owner says. */
  runs = 0
  /** Until it is sent again; its owner's as well. */
  declare pause: ReturnType<typeof setTimeout> | undefined
  /** Whether the call has ended. */
  ended = false
  declare deadline: number | undefined
  /** The id of the last event that was read. */
  declare lastEventId: string | undefined
  /** What it sends; undefined where its input could not be encoded, which ended it. */
  declare input: Encoded | undefined
  readonly #owner: CallOwner
  readonly #path: string
  readonly #settings: CallSettings
  readonly #settlers: Settlers
  /** Whether its user has asked for its result. */
  #isAwaited = false
  #peer: Peer | undefined
  /** How often it was sent, since something else than a lost socket was the reason to. */
  #attempt = 0
  /** The id of the last event that came, which later ones without an id do not change. */
  #cursor: string | undefined
  /** Of the memory that each sending went to; empty where there were several. */
  #epoch: string | undefined
  #reason: Gap['reason'] = 'untracked'
  #inbox: Inbox | undefined
  /** How it ended, and with what. */
  #op: number | undefined
  #value: unknown
  #abort: (() => void) | undefined

  /** @param defaultTimeout milliseconds, for a call that is no stream and says nothing else */
  constructor(
    owner: CallOwner,
    codec: Codec,
    path: string,
    input: unknown,
    settings: CallSettings | undefined,
    defaultTimeout: number,
  ) {
    let settlers: Settlers
    super((...both) => {
      settlers = both
    })
    this.#settlers = settlers!
    this.#owner = owner
    this.#path = path
    // A copy, since who calls may use the object again.
    this.#settings = { ...settings }
    const { signal, timeout, lastEventId } = this.#settings
    this.#cursor = this.lastEventId = lastEventId
    this.deadline = Date.now() + Math.min(timeout ?? defaultTimeout, MAX_TIMEOUT)
    if (signal) {
      this.#abort = () => this.end('CANCELLED', 'aborted', { cause: signal.reason })
      signal.addEventListener('abort', this.#abort)
      if (signal.aborted) this.#abort()
    }
    try {
      this.input = codec.encode(input)
    } catch (error) {
      this.end('INVALID_ARGUMENT', `not sent: ${(error as Error).message}`, { cause: error })
    }
  }

  /** Whether it has a place in its events from which it can go on elsewhere. */
  resumes(): boolean {
    return !!this.#cursor
  }

  /**
   * Whoever awaits a promise, or asks for its `then`, looks up its constructor first, and makes a plain one of it (ECMAScript,
   * PromiseResolve and SpeciesConstructor). Nobody else does.
   */
  // biome-ignore lint/complexity/useLiteralKeys: without brackets a class can have no getter of this name
  override get ['constructor'](): PromiseConstructor {
    this.#isAwaited = true
    return Promise
  }

  [Symbol.asyncIterator](): Inbox {
    this.isStream = true
    // A stream has no deadline unless its user set one.
    if (!this.#settings.timeout) this.deadline = undefined
    const events = this.#events()
    this.#owner.streams(this)
    if (this.ended) this.#close()
    return events
  }

  /** Hears events through callbacks. Returns a function that leaves; no callback runs after it. */
  subscribe({ onData, onError = report, onDone, onGap }: Handlers<never>): () => void {
    let left = false
    if (onGap) this.#settings.onGap = (gap) => left || onGap(gap)
    const read = async () => {
      for await (const event of this) await (left || onData?.(event as never))
    }
    read()
      .then(
        () => left || onDone?.(),
        (error) => left || onError(toRpcError(error)),
      )
      .catch(report)
    return () => {
      left = true
      this.#events().return()
    }
  }

  /** Puts the call on a socket, perhaps not its first. `caller` hears of it in its place, and passes on what it approves of. */
  open(peer: Peer, caller: Caller = this): void {
    if (peer.live?.has(this.id)) return
    const { timeout, metadata, key, stream } = this.#settings
    const attempt = this.#attempt
    const lastEventId = this.#cursor
    if (attempt && this.#inbox) {
      // An iterator cannot be told of a gap but by an error.
      if (!lastEventId && !this.#settings.onGap) {
        return void this.end('DATA_LOSS', 'lost its place')
      }
      // A reader that lags goes on when it has read what came before, so that not each new socket adds a window to it.
      if (this.#inbox.unread()) {
        return void this.#inbox.push({ weight: 0, reached: () => this.#owner.again?.(this, 0) })
      }
    }
    try {
      const { epoch } = peer.line
      const options =
        timeout || lastEventId || metadata || key || attempt
          ? JSON.stringify({
              timeout: timeout || (attempt && this.#isAwaited) ? this.deadline! - Date.now() : undefined,
              lastEventId,
              metadata,
              key,
              ...(attempt && { attempt: attempt + 1, epoch: this.#epoch }),
            })
          : ''
      peer.open(this.id, this.#path, this.input!, options, attempt ? undefined : stream, caller)
      if (attempt && this.#inbox && !lastEventId) this.#tellGap()
      this.#epoch = this.#attempt++ && this.#epoch !== epoch ? '' : epoch
      this.#peer = peer
    } catch (cause) {
      const { code, message } = toRpcError(cause)
      this.end(code, `not sent: ${message}`, { cause })
    }
  }

  hear(op: number, value?: unknown, weight?: number, id?: string): void {
    if (this.ended) return
    if (op === CREDIT)
      this.#events().push({ weight: weight!, reached: () => this.#peer!.line.credit(this.id, value as number) })
    else if (op === EVENT) {
      this.#cursor = id ?? this.#cursor
      if (this.isStream || !this.#isAwaited) this.#events().push({ value, weight: weight!, id })
      else this.end('UNIMPLEMENTED', 'is a subscription')
    } else if (op === CURSOR) {
      if (value) this.#cursor = value as string
      // Its handler has started again, with no place to go on from: an iterator goes on without a word.
      else this.#tellGap()
    } else if (op !== ERROR || !this.#again(value as RpcError)) {
      this.#op = op
      this.#value = value
      this.ended = true
      if (this.#abort) this.#settings.signal!.removeEventListener('abort', this.#abort)
      if (this.#inbox) this.#close()
      const isError = op === ERROR
      // A call that nobody awaits is no unhandled rejection.
      if (isError) super.catch(() => {})
      this.#settlers[+isError]!(value)
      this.#owner.ended(this)
    }
  }

  /** Ends the call from this end, and tells the other if it knows of it. */
  end(code: string, problem: string, options?: RpcErrorOptions): void {
    this.#peer?.cancel(this.id)
    this.hear(ERROR, this.#error(code, problem, options))
  }

  expire(): void {
    const problem = this.#owner.problem?.()
    this.end('DEADLINE_EXCEEDED', `expired${problem ? `: ${problem}` : ''}`)
  }

  weigh(change: number): void {
    this.#peer?.line.weigh(change)
  }

  leave(): void {
    this.end('CANCELLED', 'left')
  }

  seen(id: string): void {
    this.lastEventId = id
  }

  /** Made for a call that is a stream. */
  #events(): Inbox {
    this.#inbox ??= new StreamInbox(this)
    return this.#inbox
  }

  /** Tells the inbox how the call has ended. */
  #close(): void {
    const error = this.#op === RESULT ? this.#error('UNIMPLEMENTED', 'is no subscription') : this.#value
    this.#events().end({ error: this.#op !== DONE && error })
  }

  #error(code: string, problem: string, options?: RpcErrorOptions): RpcError {
    const executed = this.#peer ? 'unknown' : 'no'
    return new RpcError(code, `"${this.#path}" ${problem}`, { executed, ...options })
  }

  #tellGap(): void {
    const gap = { reason: this.#reason }
    // Who then asks for the state anew asks behind this call.
    // As an async function, so that what it throws is its author's to see, and nothing else.
    const tell = async () => this.#settings.onGap?.(gap)
    this.#events().push({ weight: 0, reached: () => tell().catch(report) })
    this.#reason = 'untracked'
  }

  /** Whether an error is no outcome yet, since the call is made once more. */
  #again({ code, executed, retryAfter }: RpcError): boolean {
    const { stream } = this.#settings
    const isLost = code === 'DATA_LOSS' && (this.#cursor || executed === 'no') && this.#settings.onGap
    // Refused, and not run now.
    const isBusy = code === 'RESOURCE_EXHAUSTED' && executed !== 'yes' && retryAfter
    if (stream || !(isLost || isBusy) || !this.#owner.again?.(this, isBusy || 0)) return false
    if (isLost) {
      this.#cursor = undefined
      this.#reason = 'lost'
    } else if (executed === 'no' || this.#inbox) {
      // A subscription that was refused has not run, and its gap was told.
      this.#peer = undefined
      this.#attempt = this.id = 0
    }
    return true
  }
}
