import { RpcError } from '@pairwire/contract'
import type { Callable, Callee, Invocation } from './callee.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import type { Inbox } from './inbox.ts'
import { type Line, pack } from './line.ts'
import { isResent, type Memory } from './memory.ts'
import { ERROR, LAST_OP, type Limits, RESULT, type WireOptions } from './messages.ts'

const NONE: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({})
const strings = (metadata: object) =>
  Object.fromEntries(
    Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )

/** Where a call is answered. */
export interface Answerer {
  readonly codec: Codec
  readonly limits: Limits
  readonly callee: Callee
  readonly memory: Memory | undefined
  /** It has no deadline any more. */
  over(call: Answering): void
  /** The handler of a call has ended. */
  ended(call: Answering): void
}

/**
 * A call that is being answered. There may be thousands that have nothing to do: what few of them need, and what can be
 * had from what they hold, has no field.
 */
export class Answering implements Invocation, Expiring {
  readonly id: number
  readonly procedure: Callable
  readonly input: unknown
  readonly options: WireOptions
  /** Where the answer goes: none while its socket is lost and no other has taken it over. */
  line: Line | undefined
  deadline: number | undefined
  stream: Inbox | undefined
  /** Nothing more goes to the caller; the call still counts until its handler has ended. */
  silent = false
  /** The handler has ended. */
  released = false
  protected readonly answerer: Answerer
  #controller: AbortController | undefined
  #reason: RpcError | undefined

  constructor(answerer: Answerer, id: number, procedure: Callable, input: unknown, options: WireOptions, line: Line) {
    this.answerer = answerer
    this.id = id
    this.procedure = procedure
    this.input = input
    this.options = options
    this.line = line
  }

  get ctx(): unknown {
    return this.answerer.callee.ctx
  }

  get client(): unknown {
    return this.answerer.callee.client
  }

  get onError(): unknown {
    return this.answerer.callee.onError
  }

  get path(): string {
    return this.procedure.path
  }

  get lastEventId(): string | undefined {
    const { lastEventId } = this.options
    return typeof lastEventId === 'string' ? lastEventId : undefined
  }

  get metadata(): Readonly<Record<string, string>> {
    const { metadata } = this.options
    return metadata ? strings(metadata) : NONE
  }

  get key(): string | undefined {
    const { key } = this.options
    return typeof key === 'string' && key ? key : undefined
  }

  /** How often its caller had sent it. */
  get attempt(): number {
    return this.options.attempt ?? 1
  }

  get resent(): boolean {
    return isResent(this.answerer.memory, this.id, this.options)
  }

  get aborted(): boolean {
    return !!this.#reason
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      this.signalled(this.#controller.signal)
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** What its handler has returned. */
  finish(value: unknown): void {
    try {
      if (!this.silent) conclude(this, this.answerer, RESULT, this.answerer.codec.encode(value))
      this.release()
    } catch (error) {
      this.fail(error, true)
    }
  }

  /**
   * Tells the caller, if it still listens. What the callee did not make for the caller is masked.
   * @param unsent whether it is about what was to be sent
   */
  fail(error: unknown, unsent?: boolean): void {
    const { callee } = this.answerer
    const { path, procedure, silent } = this
    const known = error instanceof RpcError && !unsent
    try {
      const told = known || silent ? (error as RpcError) : callee.mask(error, path, procedure.kind)
      if (!silent) conclude(this, this.answerer, ERROR, encodeError(this.answerer.codec, told), told.executed !== 'no')
    } catch (cause) {
      // The error's data cannot be sent.
      this.tell(callee.mask(cause, path, procedure.kind))
    }
    this.release()
  }

  /** Tells what may not fit the other end's limits; the caller has a clock of its own. */
  tell(error: RpcError): void {
    try {
      conclude(this, this.answerer, ERROR, encodeError(this.answerer.codec, error))
    } catch {}
  }

  expire(): void {
    if (this.silent) return
    const error = new RpcError('DEADLINE_EXCEEDED', `"${this.path}" ran out of time`, { executed: 'unknown' })
    this.abort(error)
    this.tell(error)
  }

  /** Ends the call towards its handler: signal, streams, generator. */
  abort(reason: RpcError): void {
    if (this.silent) return
    this.silent = true
    this.#reason = reason
    this.#controller?.abort(reason)
    this.stream?.end({ error: reason })
    this.left()
  }

  /** What is to be kept of it may have changed. */
  note(): void {}

  /** The handler has ended. */
  release(): void {
    this.silent = true
    this.stream?.return()
    this.answerer.over(this)
    if (this.released) return
    this.released = true
    this.answerer.ended(this)
  }

  /** Its handler has asked for its signal. */
  protected signalled(_signal: AbortSignal): void {}

  /** Nobody reads any more what its handler makes. */
  protected left(): void {}
}

/** Sends how a call has ended, and remembers it where it cannot be found out by running the call again. */
const conclude = (
  { id, procedure, line }: Answering,
  { codec, limits, memory }: Answerer,
  op: number,
  value: Encoded,
  ran = true,
): void => {
  const head = op === RESULT && line?.short && id > LAST_OP ? `${id}` : `${op},${id}`
  const answer = pack((line ?? limits).message, head, value)
  if (line) line.push(answer.text, answer.bytes)
  // It waits for its caller, while its handler may go on with the memory.
  else codec.keep?.(value)
  if (ran && procedure.kind === 'mutation') memory?.keep(id, answer, line)
}

export const encodeError = (codec: Codec, { code, message, data, executed, retryAfter }: RpcError): Encoded =>
  // A field that is undefined would need a mark; one that is not there needs none.
  codec.encode({
    code,
    message,
    ...(data !== undefined && { data }),
    ...(executed && { executed }),
    ...(retryAfter && { retryAfter }),
  })
