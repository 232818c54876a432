import { RpcError, type RpcErrorOptions } from '@pairwire/contract'
import type { Caller, Calls } from './calls.ts'
import type { Encoded } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import { Inbox, type InboxOwner } from './inbox.ts'
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

type Outcome = { readonly value: unknown } | { readonly error: RpcError }

/**
 * One call as its user holds it: awaitable and async-iterable at once, since whoever calls does not know which of the
 * two the procedure is. It outlives the socket that carries it, and ends exactly once.
 */
export class Call implements PromiseLike<unknown>, AsyncIterable<unknown, undefined>, Caller, Expiring, InboxOwner {
  /** Milliseconds since the epoch. */
  deadline: number | undefined
  readonly #owner: CallOwner
  readonly #path: string
  readonly #settings: CallSettings
  readonly #input: Encoded
  #calls: Calls | undefined
  #id = 0
  #inbox: Inbox | undefined
  #isStream = false
  #outcome: Outcome | undefined
  #promise: Promise<unknown> | undefined
  #settle = (_outcome: Outcome): void => {}

  constructor(owner: CallOwner, path: string, input: Encoded, settings: CallSettings, timeout: number) {
    this.#owner = owner
    this.#path = path
    this.#input = input
    this.#settings = settings
    this.deadline = Date.now() + timeout
    const { signal } = settings
    signal?.addEventListener('abort', this.#abort)
    if (signal?.aborted) this.#abort()
  }

  /** Whether the call has ended. */
  get ended(): boolean {
    return !!this.#outcome
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
    this.#isStream = true
    this.#owner.streams(this)
    // A stream has no deadline unless its user set one.
    if (!this.#settings.timeout) this.deadline = undefined
    const outcome = this.#outcome
    if (outcome) this.#events.end('value' in outcome ? { error: this.#misused('no subscription: await it') } : outcome)
    return this.#events
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
    if (this.#isStream) this.fail(this.#misused('no subscription: await it'))
    else this.#end({ value })
  }

  event(value: unknown, weight: number): void {
    if (!this.#isStream && this.#promise) this.#stop(this.#misused('a subscription: iterate it'))
    else this.#events.push([value, weight])
  }

  ask(n: number): void {
    this.#events.push(n)
  }

  done(): void {
    this.#events.end()
    this.#end({ value: undefined })
  }

  fail(error: RpcError): void {
    this.#inbox?.end({ error })
    this.#end({ error })
  }

  // What the inbox tells of its reader.

  grant(n: number): void {
    this.#calls?.line.credit(this.#id, n)
  }

  weigh(change: number): void {
    this.#calls?.line.weigh(change)
  }

  leave(): void {
    this.end('CANCELLED', 'was left')
  }

  // How it ends from this end.

  /** Ends the call, and tells the other end if it knows of it. */
  end(code: string, problem: string, options?: RpcErrorOptions): void {
    const executed = this.#calls ? 'unknown' : 'no'
    this.#stop(new RpcError(code, `"${this.#path}" ${problem}`, { executed, ...options }))
  }

  expire(): void {
    this.end('DEADLINE_EXCEEDED', 'was not answered in time')
  }

  readonly #abort = (): void => this.end('CANCELLED', 'was aborted', { cause: this.#settings.signal?.reason })

  #stop(error: RpcError): void {
    if (this.#outcome) return
    this.#calls?.cancel(this.#id)
    this.fail(error)
  }

  #end(outcome: Outcome): void {
    if (this.#outcome) return
    this.#outcome = outcome
    this.#settings.signal?.removeEventListener('abort', this.#abort)
    this.#settle(outcome)
    this.#owner.ended(this)
  }

  #misused(what: string): RpcError {
    return new RpcError('FAILED_PRECONDITION', `"${this.#path}" is ${what}`)
  }

  /** Made for a call that is a stream only. */
  get #events(): Inbox {
    this.#inbox ??= new Inbox(this)
    return this.#inbox
  }

  /** Made only when somebody asks, so that a call nobody awaits cannot become an unhandled rejection. */
  #asPromise(): Promise<unknown> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#settle = (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value))
      if (this.#outcome) this.#settle(this.#outcome)
    })
    return this.#promise
  }
}
