import { RpcError, type RpcErrorOptions } from '@pairwire/contract'
import type { Caller, Calls } from './calls.ts'
import { type Encoded, weigh } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import { Inbox } from './inbox.ts'
import { report } from './report.ts'
import type { Source } from './sender.ts'

/** What a user may say of one call. */
export interface CallSettings {
  signal?: AbortSignal | undefined
  /** Milliseconds. Without it a call has the default of its client and a subscription has none. */
  timeout?: number | undefined
  stream?: Source | undefined
  lastEventId?: string | undefined
  metadata?: Record<string, string> | undefined
}

/** What a subscriber hears. */
export interface Handlers<T> {
  /** Each event, in order; the next one waits for a promise that this returns. */
  onData?(event: T): unknown
  /** The subscription ended early; nothing follows. */
  onError?(error: RpcError): void
  /** The subscription ended by itself; nothing follows. */
  onDone?(): void
}

/** Whoever has a call carried hears of it through this. */
export interface CallOwner {
  /** It ended. Comes once. */
  ended(call: Call): void
  /** Its user reads it as a stream, so it is a subscription. May come more than once. */
  streams(call: Call): void
}

/**
 * One call as its user holds it: awaitable and async-iterable at once, since whoever calls does not know which of the
 * two the procedure is. It outlives the socket that carries it, and ends exactly once.
 */
export class Call implements PromiseLike<unknown>, AsyncIterable<unknown, undefined>, Caller, Expiring {
  /** Milliseconds since the epoch. */
  deadline: number | undefined
  readonly #owner: CallOwner
  readonly #path: string
  readonly #settings: CallSettings
  #input: Encoded
  #calls: Calls | undefined
  #id = 0
  #inbox: Inbox | undefined
  #streams = false
  #outcome: { value?: unknown; error?: RpcError } | undefined
  #promise: Promise<unknown> | undefined
  #settle = () => {}

  constructor(owner: CallOwner, path: string, input: Encoded, settings: CallSettings, timeout: number) {
    this.#owner = owner
    this.#path = path
    this.#input = input
    this.#settings = settings
    this.deadline = Date.now() + timeout
    const { signal } = settings
    if (signal?.aborted) this.#abort()
    else signal?.addEventListener('abort', this.#abort)
  }

  /** Whether the call has ended. */
  get ended(): boolean {
    return !!this.#outcome
  }

  /** What its input weighs, in characters and bytes. */
  get size(): number {
    return this.#input.json.length + weigh(this.#input)
  }

  /** Copies what of its input is still its user's memory, since it cannot be sent at once. */
  keep(): void {
    const { bytes } = this.#input
    if (bytes) this.#input = { ...this.#input, bytes: bytes.map((part) => part.slice()) }
  }

  /** Puts the call on a socket. `caller` hears of it in its place, and passes on what it approves of. */
  open(calls: Calls, caller: Caller = this): void {
    const { timeout, lastEventId, metadata, stream } = this.#settings
    const options = { timeout: timeout && Math.max(1, this.deadline! - Date.now()), lastEventId, metadata }
    const text = JSON.stringify(options)
    try {
      this.#id = calls.open(this.#path, this.#input, text === '{}' ? '' : text, stream, caller)
      this.#calls = calls
    } catch (error) {
      this.fail(error as RpcError)
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: a call is awaited
  then<A, B>(
    onFulfilled?: ((value: unknown) => A) | null,
    onRejected?: ((reason: unknown) => B) | null,
  ): Promise<Awaited<A> | Awaited<B>> {
    return this.#asPromise().then(onFulfilled, onRejected) as Promise<Awaited<A> | Awaited<B>>
  }

  catch<B>(onRejected?: ((reason: unknown) => B) | null): Promise<unknown> {
    return this.#asPromise().catch(onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<unknown> {
    return this.#asPromise().finally(onFinally)
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    this.#streams = true
    this.#owner.streams(this)
    // A stream has no deadline unless its user set one.
    if (!this.#settings.timeout) this.deadline = undefined
    const outcome = this.#outcome
    if (outcome) this.#received.end('value' in outcome ? { error: this.#notAStream() } : outcome)
    return this.#received
  }

  /** Hears events through callbacks. Returns a function that leaves; no callback runs after it. */
  subscribe({ onData, onError, onDone }: Handlers<never>): () => void {
    const iterator = this[Symbol.asyncIterator]()
    let left = false
    const stop = () => {
      left = true
      iterator.return!()
    }
    const run = async () => {
      try {
        for (;;) {
          const { done, value } = await iterator.next()
          if (left) return
          if (done) break
          await onData?.(value as never)
        }
      } catch (cause) {
        if (left || !onError) throw cause
        stop()
        return onError(cause instanceof RpcError ? cause : new RpcError('UNKNOWN', 'onData threw', { cause }))
      }
      onDone?.()
    }
    run().catch((error) => {
      stop()
      report(error)
    })
    return stop
  }

  // What a peer tells of it.

  result(value: unknown): void {
    if (this.#streams) this.fail(this.#notAStream())
    else this.#end({ value })
  }

  event(value: unknown, weight: number): void {
    if (this.#promise && !this.#streams)
      this.end('FAILED_PRECONDITION', 'is a subscription: use for await or subscribe()')
    else this.#received.push(value, weight)
  }

  ask(n: number): void {
    this.#received.ask(n)
  }

  done(): void {
    this.#received.end()
    this.#end({})
  }

  fail(error: RpcError): void {
    this.#inbox?.end({ error })
    this.#end({ error })
  }

  // How it ends from this end.

  /** Ends the call, and tells the other end if it knows of it. */
  end(code: string, problem: string, options?: RpcErrorOptions): void {
    if (this.#outcome) return
    this.#calls?.cancel(this.#id)
    this.fail(
      new RpcError(code, `"${this.#path}" ${problem}`, { executed: this.#calls ? 'unknown' : 'no', ...options }),
    )
  }

  expire(): void {
    this.end('DEADLINE_EXCEEDED', 'was not answered in time')
  }

  readonly #abort = (): void => this.end('CANCELLED', 'was aborted', { cause: this.#settings.signal?.reason })

  #end(outcome: { value?: unknown; error?: RpcError }): void {
    if (this.#outcome) return
    this.#outcome = outcome
    this.#settings.signal?.removeEventListener('abort', this.#abort)
    this.#settle()
    this.#owner.ended(this)
  }

  #notAStream(): RpcError {
    return new RpcError('FAILED_PRECONDITION', `"${this.#path}" is no subscription: await it`)
  }

  /** Made for a call that is a stream only. */
  get #received(): Inbox {
    this.#inbox ??= new Inbox({
      grant: (n) => this.#calls?.line.credit(this.#id, n),
      weigh: (change) => this.#calls?.line.weigh(change),
      leave: () => this.end('CANCELLED', 'was left'),
    })
    return this.#inbox
  }

  /** Made only when somebody asks, so that a call nobody awaits cannot become an unhandled rejection. */
  #asPromise(): Promise<unknown> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#settle = () => {
        const { error, value } = this.#outcome ?? {}
        if (error) reject(error)
        else if (this.#outcome) resolve(value)
      }
      this.#settle()
    })
    return this.#promise
  }
}
