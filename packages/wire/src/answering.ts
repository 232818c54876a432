import type { RpcError } from '@pairwire/contract'
import type { Callable, Invocation } from './callee.ts'
import type { Expiring } from './deadlines.ts'
import type { Inbox } from './inbox.ts'
import type { Line } from './line.ts'
import type { WireOptions } from './messages.ts'
import type { Sender } from './sender.ts'

const NONE: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({})
const strings = (metadata: object) =>
  Object.fromEntries(
    Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )

/** Whoever keeps what subscriptions are made of, so that they can be started again: see `Suspended`. */
export interface Recorder {
  /** A subscription has begun, sent something, was granted more, or has ended. Comes often, and has to be cheap. */
  changed(call: Answering): void
  /** A handler has asked for its signal, by which what it does with it can be told to be the call's. */
  signal(call: Answering, signal: AbortSignal): void
}

/** A call that is being answered. */
export class Answering implements Invocation, Expiring {
  readonly id: number
  readonly path: string
  readonly procedure: Callable
  readonly input: unknown
  readonly lastEventId: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly key: string | undefined
  readonly resent: boolean
  /** How often its caller had sent it. */
  readonly attempt: number
  /** Where the answer goes: none while its socket is lost and no other has taken it over. */
  line: Line | undefined
  deadline: number | undefined
  stream: Inbox | undefined
  sender: Sender | undefined
  /** What an earlier process had sent of it, until there is a sender. */
  before: { unread: number; unasked: number } | undefined
  /** Of a subscription that may have to be started again: the message it came with, as JSON, and that message's bytes. */
  message: string | undefined
  bytes: Uint8Array | undefined
  /** The id of the last event that was sent with one. */
  cursor: string | undefined
  /** Whether events without an id were sent. */
  untracked = false
  /** Whether its handler has started again, and its next event may be one that the caller had: the caller is told so first. */
  repeats = false
  /** Nothing more goes to the caller; the call still counts until its handler has ended. */
  silent = false
  /** The handler has ended. */
  released = false
  /** What whoever answers it gives it, beside what its caller said. */
  ctx: unknown
  onError: unknown
  client: unknown
  #controller: AbortController | undefined
  #reason: RpcError | undefined
  readonly #expire: (call: Answering) => void
  readonly #recorder: Recorder | undefined

  constructor(
    id: number,
    path: string,
    procedure: Callable,
    input: unknown,
    options: WireOptions,
    line: Line,
    resent: boolean,
    expire: (call: Answering) => void,
    recorder?: Recorder | undefined,
  ) {
    this.id = id
    this.path = path
    this.procedure = procedure
    this.input = input
    this.lastEventId = typeof options.lastEventId === 'string' ? options.lastEventId : undefined
    this.metadata = options.metadata ? strings(options.metadata) : NONE
    this.key = typeof options.key === 'string' && options.key ? options.key : undefined
    this.attempt = options.attempt ?? 1
    this.line = line
    this.cursor = this.lastEventId
    this.resent = resent
    this.#expire = expire
    this.#recorder = recorder
  }

  get aborted(): boolean {
    return !!this.#reason
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      this.#recorder?.signal(this, this.#controller.signal)
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  expire(): void {
    this.#expire(this)
  }

  /** Ends the call towards its handler: signal, streams, generator. */
  abort(reason: RpcError): void {
    if (this.silent) return
    this.silent = true
    this.#reason = reason
    this.#controller?.abort(reason)
    this.stream?.end({ error: reason })
    this.sender?.close()
    if (this.procedure.kind === 'subscription') this.#recorder?.changed(this)
  }
}
