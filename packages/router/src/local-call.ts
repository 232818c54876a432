import { type CallOptions, type Client, type InputStream, RpcError, type SignalLike } from '@pairwire/contract'
import { toAsyncIterable } from './async-iterable.ts'
import type { Invocation } from './invocation.ts'
import type { OnError } from './mask.ts'

/** What the calls of one caller have in common. */
export interface CallerOptions<ClientContract = unknown> {
  /** Aborting it cancels every call of this caller that runs. */
  signal?: SignalLike | undefined
  /** What handlers see as `client`. Another router's caller will do. */
  client?: Client<ClientContract> | undefined
  /** Hears of the errors that are hidden from the caller. @default console.error */
  onError?: OnError | undefined
}

/** The options of any call. */
export interface Settings extends CallOptions {
  readonly lastEventId?: string | undefined
  readonly stream?: InputStream<unknown> | undefined
}

/** As long as timers run: 24 days. */
const MAX_TIMEOUT = 2_147_483_647

/** One call in process: a router's side of it, and the caller's cancelling and waiting. */
export class LocalCall implements Invocation {
  readonly input: unknown
  readonly ctx: unknown
  readonly client: unknown
  readonly onError: OnError | undefined
  readonly stream: AsyncIterable<unknown> | undefined
  readonly lastEventId: string | undefined
  readonly deadline: number | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
  readonly #controller = new AbortController()
  readonly #signals: SignalLike[]
  readonly #timer: ReturnType<typeof setTimeout> | undefined
  #reject: ((error: RpcError) => void) | undefined
  #error: RpcError | undefined
  #ended = false

  constructor(input: unknown, ctx: unknown, settings: Settings, options: CallerOptions) {
    this.input = input
    this.ctx = ctx
    this.client = options.client
    this.onError = options.onError
    this.stream = settings.stream && toAsyncIterable(settings.stream)
    this.lastEventId = settings.lastEventId
    this.metadata = settings.metadata
    this.#signals = [settings.signal, options.signal].filter((signal) => signal !== undefined)
    if (this.#signals.some((signal) => signal.aborted))
      this.#error = new RpcError('CANCELLED', undefined, { executed: 'no' })
    for (const signal of this.#signals) signal.addEventListener('abort', this.cancel)
    if (settings.timeout !== undefined) {
      const timeout = Math.min(settings.timeout, MAX_TIMEOUT)
      this.deadline = Date.now() + timeout
      this.#timer = setTimeout(this.#expire, timeout)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether its signal has fired before it was over. */
  get aborted(): boolean {
    return !!this.#error
  }

  /** Whether it was cancelled, ran out of time or is over. */
  get ended(): boolean {
    return this.#ended
  }

  /** Runs the call, unless its caller has gone already. */
  start<T>(run: () => T | PromiseLike<T>): Promise<T> {
    return this.#error ? Promise.reject(this.#error) : this.wait(new Promise((resolve) => resolve(run())))
  }

  /** Waits, but no longer than the caller does. */
  wait<T>(result: Promise<T>): Promise<T> {
    if (this.#error) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#reject = reject
      result.then(resolve, reject)
    })
  }

  readonly cancel = (): void => this.#fail('CANCELLED')

  readonly #expire = (): void => this.#fail('DEADLINE_EXCEEDED')

  #fail(code: 'CANCELLED' | 'DEADLINE_EXCEEDED'): void {
    if (this.#ended) return
    this.#error = new RpcError(code, undefined, { executed: 'unknown' })
    this.#reject?.(this.#error)
    this.end()
  }

  /** Tells the handler that nobody waits any more. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    for (const signal of this.#signals) signal.removeEventListener('abort', this.cancel)
    this.#controller.abort(this.#error ?? new RpcError('CANCELLED'))
  }
}
