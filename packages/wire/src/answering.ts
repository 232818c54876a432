import type { RpcError } from '@pairwire/contract'
import type { Callable, Invocation } from './callee.ts'
import type { Expiring } from './deadlines.ts'
import type { Inbox } from './inbox.ts'
import type { WireOptions } from './messages.ts'
import type { Sender } from './sender.ts'

/** A call that is being answered. */
export class Answering implements Invocation, Expiring {
  readonly id: number
  readonly path: string
  readonly procedure: Callable
  readonly input: unknown
  readonly lastEventId: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly expire: () => void
  deadline: number | undefined
  stream: Inbox | undefined
  sender: Sender | undefined
  /** Nothing more goes to the caller; the call still counts until its handler has ended. */
  silent = false
  #controller: AbortController | undefined
  #reason: RpcError | undefined

  constructor(
    id: number,
    path: string,
    procedure: Callable,
    input: unknown,
    options: WireOptions,
    expire: (call: Answering) => void,
  ) {
    this.id = id
    this.path = path
    this.procedure = procedure
    this.input = input
    this.lastEventId = typeof options.lastEventId === 'string' ? options.lastEventId : undefined
    this.metadata = Object.fromEntries(
      Object.entries(options.metadata ?? {}).filter(([, value]) => typeof value === 'string'),
    )
    this.expire = () => expire(this)
  }

  get aborted(): boolean {
    return !!this.#reason
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
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
