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
  /** Nothing more goes to the caller; the call still counts until its handler has ended. */
  silent = false
  /** The handler has ended. */
  released = false
  #controller: AbortController | undefined
  #reason: RpcError | undefined
  readonly #expire: (call: Answering) => void

  constructor(
    id: number,
    path: string,
    procedure: Callable,
    input: unknown,
    options: WireOptions,
    line: Line,
    resent: boolean,
    expire: (call: Answering) => void,
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
    this.resent = resent
    this.#expire = expire
  }

  get aborted(): boolean {
    return !!this.#reason
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
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
  }
}
