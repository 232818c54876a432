import { isRpcError, RpcError } from '@pairwire/contract'
import { type Entry, type Invocation, mask, type OnError, type Router } from '@pairwire/router'
import {
  type Answers,
  type Callable,
  type Callee,
  type Codec,
  createAnswers,
  ERROR,
  type Limits,
  type Line,
  type Peer,
  type Recorder,
  type Invocation as WireInvocation,
} from '@pairwire/wire'
import { nanoid } from 'nanoid'
import type { Once } from './once.ts'
import { type KeptResults, Results, type Scales } from './results.ts'
import { createTokenBucket } from './token-bucket.ts'

/** What all sessions of a server share. */
export interface SessionOptions {
  readonly router: Pick<Router<unknown>, 'find' | 'run' | 'authorize'>
  readonly limits: Limits
  /** By the name that a `hello` gives; the first for a hello that names none. */
  readonly codecs: { readonly rich: Codec; readonly json: Codec }
  readonly onError: OnError | undefined
  readonly once: Once
  readonly clientOf: ((session: ClientSession) => unknown) | undefined
  /** Where sockets outlive the process: what keeps the subscriptions, and what has to be waited for before it may end. */
  readonly sleep?:
    | {
        readonly recorder: Recorder
        pin(work: PromiseLike<unknown>, session?: Session): void
        identified(session: Session): void
      }
    | undefined
}

/** Whoever has sessions hears of them through this. */
export interface SessionOwner extends Scales {
  /** It is over, or another has taken over from it. */
  ended(session: Session): void
}

/** Of a session, what calls to its client need. */
export interface ClientSession {
  readonly peer: Peer | undefined
  readonly codec: Codec
  /** The id of the latest of these calls; 0 before any. */
  lastCallId: number
}

/** What a session goes on from, after it was written down. */
export interface KeptSession {
  /** None of a connection that has no session to come back to. */
  readonly results: KeptResults | undefined
  readonly lastCallId: number
}

/** Whose a connection is, and what its handlers see. */
export interface Identified {
  /** What `authenticate` returned, as text: two are the same user's where it is the same. */
  readonly owner: string
  readonly identity: unknown
  readonly ctx: unknown
}

/** One socket of a session, as far as the session cares. */
export interface SessionSocket {
  readonly line: Line
  readonly peer: Peer
  /** Sockets are numbered as they come. */
  readonly order: number
  /** Whether it was told to move: then another one does not take its place, but stands beside it. */
  readonly leaving: boolean
  /** Another socket has taken its place. */
  supersede(): void
  /** Whether it can be touched from here: in a Worker, only from the request that it came with. */
  isReachable(): boolean
  identify(params: unknown): Identified | PromiseLike<Identified>
}

/** What `hello` said of a session. */
export interface SessionHello {
  /** Chosen by the client; empty: nothing is to outlive the socket. */
  readonly id: string
  readonly codec: Codec
  readonly owner: string
  readonly timeout: number | undefined
}

/** The path of the call by which a client sends its params again; no contract can have it. */
const REFRESH = '$refresh'

/** What a handler throws because it was told to stop says nothing of what it did before, and is not to be replayed as an error of its own. */
const cutShort = (call: Pick<WireInvocation, 'aborted' | 'path'>, start: () => unknown): unknown => {
  const fail = (error: unknown): never => {
    if (!call.aborted || !isRpcError(error, 'INTERNAL')) throw error
    throw new RpcError('UNAVAILABLE', `"${call.path}" was cut short`, { executed: 'unknown', cause: error })
  }
  try {
    const result = start() as PromiseLike<unknown> | undefined
    return typeof result?.then === 'function' ? result.then(undefined, fail) : result
  } catch (error) {
    return fail(error)
  }
}

/** A call with what this end gives to each. */
type Call = Invocation & WireInvocation

const NONE: ReadonlySet<number> = /* @__PURE__ */ new Set()
const REFRESHER: Callable = { path: REFRESH, kind: 'query', takesStream: false }

/**
 * The server's end of a client's connection: its calls and their results, over as many sockets as it takes. Of what most
 * connections never need nothing is made before they do, since many of them are idle.
 */
export class Session implements ClientSession, Callee {
  /** Names what is remembered here. */
  readonly epoch: string
  readonly results: Results | undefined
  readonly answers: Answers
  /** What it was made of. */
  readonly hello: SessionHello
  /** What `authenticate` said of whose it is, the last time it was asked. */
  identity: unknown
  /** What its handlers are given, and how they call its client. */
  ctx: unknown
  readonly client: unknown
  lastCallId = 0
  /** Another has taken over from this one, which has nothing to do any more. */
  dead = false
  /** When it ends if no socket comes, in milliseconds since the epoch. */
  deadline: number | undefined
  readonly #options: SessionOptions
  readonly #owner: SessionOwner
  #pending: Set<number> | undefined
  /** The latest. */
  #socket: SessionSocket | undefined
  /** Those beside the latest, as there are while a client moves from one to the next. */
  #others: Set<SessionSocket> | undefined
  /** The highest order that a socket of it had. */
  #latest = 0
  /** The latest, also when it is gone. */
  #probe: SessionSocket | undefined

  /** @param from what it takes over: another's results, or what is known of itself from before */
  constructor(options: SessionOptions, hello: SessionHello, owner: SessionOwner, from?: Session | KeptSession) {
    const { limits, clientOf } = options
    const { rate, burst } = limits
    this.#options = options
    this.#owner = owner
    this.hello = hello
    this.epoch = from?.results?.epoch ?? nanoid()
    this.lastCallId = from?.lastCallId ?? 0
    if (from instanceof Session) this.results = from.results
    else if (hello.id) this.results = new Results(from?.results ?? { epoch: this.epoch }, limits.results, owner)
    this.client = clientOf?.(this)
    this.answers = createAnswers({
      codec: hello.codec,
      limits,
      callee: this,
      timeout: hello.timeout,
      memory: this.results,
      admit: rate ? createTokenBucket(rate, burst || rate).take : undefined,
      recorder: options.sleep?.recorder,
    })
  }

  get codec(): Codec {
    return this.hello.codec
  }

  get onError(): OnError | undefined {
    return this.#options.onError
  }

  /** Mutations whose handlers have to be waited for. */
  get pending(): ReadonlySet<number> {
    return this.#pending ?? NONE
  }

  /** The way to the client; none while its socket is lost. */
  get peer(): Peer | undefined {
    return this.#socket?.peer
  }

  /** Another one where anything has changed that is to be kept. */
  get version(): string {
    return `${this.results?.version} ${[...this.pending]} ${this.lastCallId}`
  }

  /** Its latest socket, of those it has. */
  get socket(): SessionSocket | undefined {
    return this.#socket
  }

  /** Whether a socket that came after this one has taken the session already: then this one is the past, however late it got here. */
  isPast(order: number): boolean {
    return this.#latest > order
  }

  /** A socket of this session has been welcomed; one that it takes the place of is closed. */
  attach(socket: SessionSocket, { ctx, identity }: Identified): void {
    // One from before a sleep, which had to wait for its context, takes the place of none that came after it.
    if (this.isPast(socket.order)) return void this.#stand(socket)
    this.ctx = ctx
    this.identity = identity
    const before = this.#socket
    // First, so that the session is not left by its last socket.
    this.#socket = socket
    this.#probe = socket
    this.#latest = socket.order
    if (before) this.#stand(before)
    for (const other of this.#others ?? []) if (!other.leaving) other.supersede()
  }

  /** The client has given up every older socket, also one that was told to leave: what still comes on those is the past. */
  only(socket: SessionSocket): void {
    for (const other of [this.#socket, ...(this.#others ?? [])])
      if (other && other.order < socket.order) other.supersede()
    this.results?.resume(socket.line)
  }

  /** A socket is gone. @returns whether it was the last one */
  detach(socket: SessionSocket, reason: RpcError): boolean {
    for (const caller of socket.peer.close(reason)) caller.hear(ERROR, reason)
    this.#others?.delete(socket)
    if (this.#socket === socket) {
      this.#socket = [...(this.#others ?? [])].sort((a, b) => a.order - b.order).at(-1)
      if (this.#socket) this.#others!.delete(this.#socket)
    }
    if (!this.#others?.size) this.#others = undefined
    return !this.#socket && !this.#others
  }

  /**
   * Whether its calls can be answered from here. A Worker cancels what a request was doing when its socket is lost, and lets
   * no other request touch it (https://developers.cloudflare.com/workers/observability/errors/, "on behalf of a different
   * request"); inside a Durable Object, and elsewhere, there is no such wall.
   */
  get isReachable(): boolean {
    return this.#probe?.isReachable() ?? true
  }

  /** Gives way to another, which takes over the results: what runs has been cancelled, or will be answered to nobody. */
  abandon(): void {
    this.dead = true
    this.results?.lose([...this.answers.running].map(({ id }) => id))
    this.#owner.ended(this)
  }

  /** Nobody will come back for it. @param all whether also what others may have joined ends */
  end(all = false): void {
    this.results?.clear()
    this.answers.close(new RpcError('UNAVAILABLE', 'the client did not come back', { executed: 'unknown' }), all)
    this.#owner.ended(this)
  }

  expire(): void {
    this.end()
  }

  find(path: string): Callable | undefined {
    return path === REFRESH ? REFRESHER : this.#options.router.find(path)
  }

  run(procedure: Callable, call: WireInvocation): unknown {
    const work = call.path === REFRESH ? this.#refresh(call.input) : this.#start(procedure as Entry, call as Call)
    return this.#options.sleep ? this.#await(call.id, procedure.kind, work) : work
  }

  mask(error: unknown, path: string, kind: Callable['kind']): RpcError {
    return mask(error, path, kind, this.#options.onError)
  }

  #stand(socket: SessionSocket): void {
    this.#others ??= new Set()
    this.#others.add(socket)
  }

  /** Has what a call does waited for, where the process would end otherwise; a subscription can be started again. */
  #await(id: number, kind: Entry['kind'], work: unknown): unknown {
    const { sleep } = this.#options
    if (!sleep || kind === 'subscription' || typeof (work as PromiseLike<unknown>)?.then !== 'function') return work
    const over = () => this.#pending?.delete(id)
    if (kind === 'mutation') {
      this.#pending ??= new Set()
      this.#pending.add(id)
    }
    sleep.pin((work as PromiseLike<unknown>).then(over, over), this)
    return work
  }

  #start(entry: Entry, call: Call): unknown {
    const { router, once } = this.#options
    if (entry.retry !== 'once') return router.run(entry, call)
    const start = () => router.run(entry, call)
    // Of the same user, and the same procedure: nobody is given another's result.
    const key = JSON.stringify([entry.path, this.hello.owner, call.key ?? [this.hello.id, call.id]])
    return once.run(key, call.input, call.resent, () => cutShort(call, start))
  }

  async #refresh(params: unknown): Promise<void> {
    const { owner, identity, ctx } = await this.#socket!.identify(params)
    if (owner !== this.hello.owner)
      throw new RpcError('PERMISSION_DENIED', 'a connection cannot pass to somebody else: make another client')
    this.ctx = ctx
    this.identity = identity
    this.#options.sleep?.identified(this)
    const { router, onError } = this.#options
    this.answers.review(async (call) => {
      if (call.path === REFRESH) return undefined
      try {
        await router.authorize(call.procedure as Entry, call as unknown as Call)
      } catch (error) {
        return error instanceof RpcError ? error : mask(error, call.path, call.procedure.kind, onError)
      }
    })
  }
}
