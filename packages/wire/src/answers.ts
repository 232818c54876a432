import { RpcError } from '@pairwire/contract'
import { accept, createAnswering, type Gate, refuse } from './admission.ts'
import { type Answering, encodeError } from './answering.ts'
import type { Callable, Callee } from './callee.ts'
import { BAD_FRAME, DUPLICATE_ID, ProtocolError, SECOND_HELLO } from './close.ts'
import type { Codec } from './codec.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { createInbox } from './inbox.ts'
import { type Line, WEIGHT } from './line.ts'
import type { Memory } from './memory.ts'
import {
  CALL,
  CANCEL,
  CREDIT,
  CURSOR,
  DONE,
  END,
  ERROR,
  EVENT,
  HELLO,
  ITEM,
  type Limits,
  type Message,
  PONG,
  type WireOptions,
} from './messages.ts'
import { Publishing, type Recorder } from './publishing.ts'
import { lostAsleep, type Suspended } from './suspended.ts'

/** The answering half of an end. It outlives sockets where it has a memory; else it ends with its socket. */
export interface Answers {
  /** How many calls still run. */
  readonly size: number
  /** Those whose caller waits. */
  readonly running: Iterable<Answering>
  /**
   * Any message but those about this end's running calls. A call whose handler is sync is answered before this returns.
   * @throws ProtocolError for one that the other end has no business to send
   */
  handle(message: Message, line: Line): void
  /**
   * Starts a subscription again that ran on this line's socket in an earlier process: where it stood, and with no word to its
   * caller. `began` is given the call before its handler runs.
   */
  resume(id: number, suspended: Suspended, line: Line, began: (call: Publishing) => void): void
  /**
   * The socket of a line is gone. Queries and subscriptions on it end; a mutation goes on where there is a memory, so that
   * its caller can fetch the result through another line.
   */
  leave(line: Line, reason: RpcError): void
  /** Looks again at what runs and has no effect: a call for which this gives an error ends with it. */
  review(judge: (call: Answering) => Promise<RpcError | undefined>): void
  /** The caller is gone: every handler's signal fires, but where another call may have joined it; with `all` those as well. */
  close(reason: RpcError, all?: boolean): void
}

export interface AnswersOptions {
  readonly codec: Codec
  readonly limits: Limits
  readonly callee: Callee
  /** Milliseconds for a query or mutation that says nothing else: the caller's own default. */
  readonly timeout?: number | undefined
  readonly memory?: Memory | undefined
  /** Milliseconds after which one more call can be taken; 0: at once. */
  readonly admit?: (() => number) | undefined
  /** Where subscriptions outlive the process. Then no timer runs for them: a caller has a clock of its own. */
  readonly recorder?: Recorder | undefined
  /** Ends what has run out of time: of all who answer, or one is made when it is first needed. */
  readonly deadlines?: Deadlines | undefined
}

/** Most calls have none. */
const NO_OPTIONS: WireOptions = /* @__PURE__ */ Object.freeze({})
const NOBODY: ReadonlyMap<number, Answering> = /* @__PURE__ */ new Map()

const isSound = (op: number, id: number, n: unknown, { firstId }: Line) => {
  if (!Number.isInteger(op) || !Number.isSafeInteger(id) || id < 1) return false
  if (op < CALL || (op > DONE && op !== CURSOR)) return false
  if (op === CREDIT) return Number.isSafeInteger(n)
  // Calls come with the other end's ids; what answers this end's calls comes with its own.
  return op < CREDIT === ((id - firstId) % 2 !== 0)
}

/** The fields of a call, in the order of its short form. */
const readCall = (message: Message) =>
  (typeof message[0] === 'string' ? message : [message[2], message[1], ...message.slice(3)]) as [
    path: string,
    id: number,
    input: unknown,
    options: WireOptions | null | undefined,
    marks: unknown,
  ]

/** A class, and nothing in it before it is needed: a server has one for each connection, and most of those are idle. */
class CallAnswers implements Answers, Gate {
  readonly codec: Codec
  readonly limits: Limits
  readonly callee: Callee
  readonly timeout: number | undefined
  readonly memory: Memory | undefined
  readonly admit: (() => number) | undefined
  readonly recorder: Recorder | undefined
  size = 0
  subscriptions = 0
  /** By id; after a lost socket the same id may run anew while the handler of the old call has not ended yet. */
  #live: Map<number, Answering> | undefined
  #deadlines: Deadlines | undefined

  constructor({ codec, limits, callee, timeout, memory, admit, recorder, deadlines }: AnswersOptions) {
    this.codec = codec
    this.limits = limits
    this.callee = callee
    this.timeout = timeout
    this.memory = memory
    this.admit = admit
    this.recorder = recorder
    this.#deadlines = deadlines
  }

  over(call: Answering): void {
    this.#deadlines?.delete(call)
  }

  get running(): Iterable<Answering> {
    return (this.#live ?? NOBODY).values()
  }

  handle(message: Message, line: Line): void {
    const short = typeof message[0] === 'string'
    const op = short ? CALL : (message[0] as number)
    const id = message[1] as number
    const n = message[2] as number
    if (short) line.short = true
    if (op === PONG) this.memory?.confirm(line)
    else if (!isSound(op, id, n, line)) throw new ProtocolError(op === HELLO ? SECOND_HELLO : BAD_FRAME, 'unexpected')
    else if (op === CALL) this.#start(message, line)
    else this.#hear(message, line)
  }

  resume(id: number, from: Suspended, line: Line, began: (call: Publishing) => void): void {
    const [path, , json, said, marks] = readCall(JSON.parse(from.call))
    const options: WireOptions = { ...said, ...(from.cursor !== undefined && { lastEventId: from.cursor }) }
    const found = this.callee.find(path)
    let input: unknown
    let problem: unknown
    try {
      // Another version of the code may have woken up, where one is being developed.
      if (!found) throw refuse('NOT_FOUND', `there is no procedure "${path}"`, 'no')
      input = this.codec.decode(json, marks, from.bytes)
    } catch (error) {
      problem = error
    }
    const end = lostAsleep(from, path, Math.min(options.window || line.window, line.limits.window))
    const procedure: Callable = found ?? { path, kind: 'subscription', takesStream: false }
    const call = createAnswering(this, id, procedure, input, options, line) as Publishing
    const { untracked, bytes } = from
    const { lastEventId: cursor } = call
    const repeats = untracked && from.cursor === undefined
    call.record = { message: from.call, bytes, cursor, untracked, repeats, isFresh: true, held: undefined }
    call.unread = from.unread
    call.unasked = from.unasked
    call.deadline = from.deadline
    this.#enlist(call, line)
    began(call)
    if (problem) call.fail(problem)
    else this.#perform(call)
    if (!end || call.silent) return
    // Its handler runs all the same, and is left at once: what its `finally` undoes may have outlived the sleep.
    call.tell(end)
    call.abort(end)
  }

  leave(line: Line, reason: RpcError): void {
    for (const call of this.running) {
      if (call.line !== line) continue
      if (this.memory && call.procedure.kind === 'mutation' && !call.silent) {
        call.line = undefined
        call.stream?.end({ error: reason })
      } else call.abort(reason)
    }
  }

  review(judge: (call: Answering) => Promise<RpcError | undefined>): void {
    for (const call of this.running) {
      if (call.silent || call.procedure.kind === 'mutation') continue
      judge(call).then((error) => {
        if (!error || call.silent) return
        call.tell(error)
        call.abort(error)
      })
    }
  }

  close(reason: RpcError, all?: boolean): void {
    for (const call of this.running) if (all || call.procedure.retry !== 'once') call.abort(reason)
  }

  ended(call: Answering): void {
    this.size--
    if (call.procedure.kind === 'subscription') this.subscriptions--
    if (this.#live!.get(call.id) === call) this.#live!.delete(call.id)
  }

  /** What is about a call that runs. */
  #hear(message: Message, line: Line): void {
    const op = message[0] as number
    const id = message[1] as number
    const n = message[2] as number
    const call = this.#live?.get(id)
    // Of a subscription that a handler made to its client before it slept: nobody reads it any more.
    if (this.recorder && op === EVENT) line.push(`[${CANCEL},${id}]`)
    // A call that goes on elsewhere is no matter of this line any more.
    if (call?.line !== line) return
    if (op === CANCEL) call.abort(new RpcError('CANCELLED', 'the caller cancelled'))
    else if (op === ITEM || op === END) this.#receive(call, message, line)
    else if (op === CREDIT && n < 0) call.stream?.push({ reached: () => line.credit(id, -n), weight: WEIGHT })
    else if (op === CREDIT && call instanceof Publishing) call.grant(n)
  }

  #start(message: Message, line: Line): void {
    const id = message[1] as number
    const at = typeof message[0] === 'string' ? 2 : 3
    const path = message[at === 2 ? 0 : 2]
    const json = message[at]
    const options = (message[at + 1] ?? NO_OPTIONS) as WireOptions
    const marks = message[at + 2]
    if (typeof path !== 'string' || typeof options !== 'object') throw new ProtocolError(BAD_FRAME, 'a call has a path')
    if (this.#isKnown(id, line, options)) return
    const { recorder } = this
    // Before its input is decoded, which may change it.
    const text = recorder && this.callee.find(path)?.kind === 'subscription' ? JSON.stringify(message) : undefined
    let call: Answering
    try {
      call = accept(this, id, path, json, options, marks, line)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      line.send(`${ERROR},${id}`, encodeError(this.codec, error))
      return
    }
    this.#enlist(call, line)
    if (text && call instanceof Publishing) {
      const { lastEventId: cursor } = call
      const { bytes } = line
      call.record = { message: text, bytes, cursor, untracked: false, repeats: false, isFresh: false, held: undefined }
      call.note()
    }
    this.#perform(call)
  }

  /** Whether a call that came needs no run: it still runs, or has ended and is remembered. */
  #isKnown(id: number, line: Line, { attempt = 1 }: WireOptions): boolean {
    const { memory } = this
    const earlier = this.#live?.get(id)
    // An earlier sending that comes late, over a slower socket: its caller has gone on.
    if (earlier && attempt < earlier.attempt) return true
    if (earlier?.line === line) throw new ProtocolError(DUPLICATE_ID, `call ${id} is still running`)
    if (earlier && !earlier.silent && earlier.procedure.kind === 'mutation') {
      earlier.line = line
      return true
    }
    // It is sent again because its caller moved here: what is answered there, nobody reads.
    earlier?.abort(new RpcError('CANCELLED', 'the caller moved', { executed: 'no' }))
    const answer = memory?.recall(id)
    if (!answer) return false
    line.push(answer.text, answer.bytes)
    memory!.keep(id, answer, line)
    return true
  }

  #enlist(call: Answering, line: Line): void {
    const { kind, takesStream } = call.procedure
    if (kind === 'subscription') this.subscriptions++
    this.size++
    if (takesStream)
      call.stream = createInbox({ weigh: (change) => line.weigh(change), leave() {}, idle: () => call.note() })
    this.#live ??= new Map()
    this.#live.set(call.id, call)
  }

  #perform(call: Answering): void {
    const isSubscription = call.procedure.kind === 'subscription'
    try {
      const result = this.callee.run(call.procedure, call) as PromiseLike<unknown> | undefined
      const isLate = typeof result?.then === 'function'
      if (isSubscription ? !this.recorder : isLate) {
        this.#deadlines ??= createDeadlines()
        this.#deadlines.add(call)
      }
      if (isLate)
        result!.then(
          (value) => call.finish(value),
          (error) => call.fail(error),
        )
      else call.finish(result)
    } catch (error) {
      call.fail(error)
    }
  }

  /** An item of the caller's input stream, or its end. */
  #receive(call: Answering, message: Message, line: Line): void {
    const { stream } = call
    if (!stream) return
    call.note()
    try {
      const value = this.codec.decode(message[2], message[3], line.bytes)
      if (message[0] === ITEM) stream.push({ value, weight: line.weight })
      // The caller's own failure, and no error of this end's to be reported: a standard code, whatever it said.
      else stream.end(value === undefined ? {} : { error: new RpcError('ABORTED', "the caller's stream failed") })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      stream.end({ error })
    }
  }
}

export const createAnswers = (options: AnswersOptions): Answers => new CallAnswers(options)
