import { RpcError, Tracked } from '@pairwire/contract'
import { Answering, type Recorder } from './answering.ts'
import type { Callable, Callee } from './callee.ts'
import { BAD_FRAME, DUPLICATE_ID, ProtocolError, SECOND_HELLO } from './close.ts'
import type { Codec, Encoded } from './codec.ts'
import { createDeadlines } from './deadlines.ts'
import { createInbox } from './inbox.ts'
import { type Line, type Packed, pack, WEIGHT } from './line.ts'
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
  RESULT,
  type WireOptions,
} from './messages.ts'
import { createSender, type Source } from './sender.ts'
import type { Suspended } from './suspended.ts'

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
  resume(id: number, suspended: Suspended, line: Line, began: (call: Answering) => void): void
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

/** What is remembered of the mutations of one caller, who may have lost the socket before it heard of them. */
export interface Memory {
  /** By which a caller names it: a call that was sent to another one may have been taken there. */
  readonly epoch: string
  /** Whether a call of this id may have been taken, and is no longer remembered. */
  forgot(id: number): boolean
  /** How a call has ended. */
  recall(id: number): Packed | undefined
  /** A call has ended; `line` is where its caller is told, if there is one at present. */
  keep(id: number, answer: Packed, line: Line | undefined): void
  /** The caller has got what was sent on this line before it was asked. */
  confirm(line: Line): void
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
}

/** Stands for the procedure of a subscription that is started again where there is none any more. */
const GONE: Callable = { kind: 'subscription', takesStream: false }

/** Most calls have none. */
const NO_OPTIONS: WireOptions = /* @__PURE__ */ Object.freeze({})

/** Milliseconds until a call that was sent again is to be tried once more. */
const PLACE_FREE = 100

const refuse = (code: string, message: string, executed: 'no' | 'unknown' = 'no', retryAfter?: number) =>
  new RpcError(code, message, { executed, retryAfter })

/** Events of a topic are the same objects for all who read them: the first to send one encodes it for the others. */
const encodeShared = (codec: Codec, event: Tracked<unknown>): Encoded => {
  if (!event.isShared) return codec.encode(event.data)
  const known = event.made(codec) as Encoded | undefined
  if (known) return known
  const encoded = codec.encode(event.data)
  codec.keep?.(encoded)
  event.keep(codec, encoded)
  return encoded
}

export const createAnswers = ({ codec, limits, callee, timeout, memory, admit, recorder }: AnswersOptions): Answers => {
  /** By id; after a lost socket the same id may run anew while the handler of the old call has not ended yet. */
  const live = new Map<number, Answering>()
  const deadlines = createDeadlines()
  let size = 0
  let subscriptions = 0

  /** @throws RpcError where the call is refused, before anything of it is kept */
  const accept = (
    id: number,
    path: string,
    json: unknown,
    options: WireOptions,
    marks: unknown,
    line: Line,
  ): Answering => {
    const procedure = path.length > limits.path ? undefined : callee.find(path)
    const again = (options.attempt as number) > 1
    const resent = !!memory?.forgot(id) || (again && options.epoch !== memory?.epoch)
    const executed = resent || (again && procedure?.kind !== 'mutation') ? 'unknown' : 'no'
    const deny = (code: string, message: string, retryAfter?: number) => refuse(code, message, executed, retryAfter)
    const wait = admit?.()
    if (wait) throw deny('RESOURCE_EXHAUSTED', `more than ${limits.rate} calls per second`, wait)
    if (path.length > limits.path) throw deny('INVALID_ARGUMENT', `a path has at most ${limits.path} characters`)
    if (!procedure) throw deny('NOT_FOUND', `there is no procedure "${path}"`)
    const streams = procedure.kind === 'subscription'
    const max = streams ? limits.subscriptions : limits.calls
    if ((streams ? subscriptions : size - subscriptions) >= max)
      // What was sent again had a place, which is free as soon as its earlier run has ended.
      throw deny(
        'RESOURCE_EXHAUSTED',
        `more than ${max} ${streams ? 'subscriptions' : 'calls'} at once`,
        again ? PLACE_FREE : undefined,
      )
    if (procedure.takesStream && again)
      throw deny('UNAVAILABLE', `the stream of "${path}" was lost with its connection`)
    if (resent && procedure.kind === 'mutation' && !procedure.retry)
      throw deny('UNAVAILABLE', `"${path}" was sent before, and what became of it is not known here`)
    const asked = typeof options.timeout === 'number' ? options.timeout : streams ? undefined : timeout
    const remaining = asked ?? Number.POSITIVE_INFINITY
    if (!(remaining > 0)) throw deny('DEADLINE_EXCEEDED', 'the deadline had passed')
    const input = codec.decode(json, marks, line.bytes)
    const call = new Answering(id, path, procedure, input, options, line, resent, expire, recorder)
    if (Number.isFinite(remaining)) call.deadline = Date.now() + remaining
    enlist(call, line)
    return call
  }

  /** What is to be kept of a call may have changed: only a subscription can be started again. */
  const record = (call: Answering) => {
    if (call.procedure.kind === 'subscription') recorder?.changed(call)
  }

  const enlist = (call: Answering, line: Line) => {
    if (call.procedure.kind === 'subscription') subscriptions++
    size++
    if (call.procedure.takesStream)
      call.stream = createInbox({ weigh: line.weigh, leave() {}, idle: () => record(call) })
    live.set(call.id, call)
  }

  /** Sends how a call has ended, and remembers it where it cannot be found out by running the call again. */
  const conclude = ({ id, procedure, line }: Answering, op: number, value: Encoded, ran = true) => {
    const answer = pack((line ?? limits).message, `${op},${id}`, value)
    line?.push(answer.text, answer.bytes)
    if (ran && procedure.kind === 'mutation') memory?.keep(id, answer, line)
  }

  const answer = (call: Answering, value: unknown) => {
    try {
      if (!call.silent) conclude(call, RESULT, codec.encode(value))
      release(call)
    } catch (error) {
      fail(call, error, true)
    }
  }

  const publish = async (call: Answering, source: unknown, window: number, line: Line) => {
    const head = `${EVENT},${call.id}`
    let unsent = false
    try {
      call.sender = createSender(
        line,
        call.id,
        window,
        (event) => {
          const id = event instanceof Tracked ? event.id : undefined
          if (id !== undefined) call.cursor = id
          recorder?.changed(call)
          if (id !== undefined && (event as Tracked<unknown>).bare) {
            line.push(`[${CURSOR},${call.id},${JSON.stringify(id)}]`)
            return 0
          }
          if (call.repeats) line.push(`[${CURSOR},${call.id}]`)
          call.repeats = false
          call.untracked ||= id === undefined
          unsent = true
          const weight =
            id === undefined
              ? line.send(head, codec.encode(event), '')
              : line.send(head, encodeShared(codec, event as Tracked<unknown>), JSON.stringify(id))
          unsent = false
          return weight
        },
        call.before,
      )
      if (call.silent) call.sender.close()
      else if (!recorder) deadlines.add(call)
      if (await call.sender.run(source as Source)) line.push(`[${DONE},${call.id}]`)
      release(call)
    } catch (error) {
      fail(call, error, unsent)
    }
  }

  const encodeError = ({ code, message, data, executed, retryAfter }: RpcError) =>
    // A field that is undefined would need a mark; one that is not there needs none.
    codec.encode({
      code,
      message,
      ...(data !== undefined && { data }),
      ...(executed && { executed }),
      ...(retryAfter && { retryAfter }),
    })

  /** Tells what may not fit the other end's limits; the caller has a clock of its own. */
  const tellIfItFits = (call: Answering, error: RpcError) => {
    try {
      conclude(call, ERROR, encodeError(error))
    } catch {}
  }

  /** Tells the caller, if it still listens. What the callee did not make for the caller is masked. */
  const fail = (call: Answering, error: unknown, unsent?: boolean) => {
    const { path, procedure, silent } = call
    const known = error instanceof RpcError && !unsent
    try {
      const told = known || silent ? (error as RpcError) : callee.mask(error, path, procedure.kind)
      if (!silent) conclude(call, ERROR, encodeError(told), told.executed !== 'no')
    } catch (cause) {
      // The error's data cannot be sent.
      tellIfItFits(call, callee.mask(cause, path, procedure.kind))
    }
    release(call)
  }

  const expire = (call: Answering) => {
    if (call.silent) return
    const error = refuse('DEADLINE_EXCEEDED', `"${call.path}" ran out of time`, 'unknown')
    call.abort(error)
    tellIfItFits(call, error)
  }

  /** The handler has ended. */
  const release = (call: Answering) => {
    call.silent = true
    call.stream?.return()
    deadlines.delete(call)
    if (call.released) return
    call.released = true
    size--
    if (call.procedure.kind === 'subscription') subscriptions--
    record(call)
    if (live.get(call.id) === call) live.delete(call.id)
  }

  /** Whether a call that came needs no run: it still runs, or has ended and is remembered. */
  const isKnown = (id: number, line: Line, { attempt = 1 }: WireOptions): boolean => {
    const earlier = live.get(id)
    // An earlier sending that comes late, over a slower socket: its caller has gone on.
    if (earlier && attempt < earlier.attempt) return true
    if (earlier?.line === line) throw new ProtocolError(DUPLICATE_ID, `call ${id} is still running`)
    if (earlier && !earlier.silent && earlier.procedure.kind === 'mutation') {
      earlier.line = line
      return true
    }
    // It is sent again because its caller moved here: what is answered there, nobody reads.
    earlier?.abort(refuse('CANCELLED', 'the caller moved'))
    const answer = memory?.recall(id)
    if (!answer) return false
    line.push(answer.text, answer.bytes)
    memory!.keep(id, answer, line)
    return true
  }

  const start = (message: Message, line: Line) => {
    const id = message[1]
    const path = message[2]
    const json = message[3]
    const options = (message[4] ?? NO_OPTIONS) as WireOptions
    const marks = message[5]
    if (typeof path !== 'string' || typeof options !== 'object') throw new ProtocolError(BAD_FRAME, 'a call has a path')
    if (isKnown(id as number, line, options)) return
    // Before its input is decoded, which may change it.
    const text = recorder && callee.find(path)?.kind === 'subscription' ? JSON.stringify(message) : undefined
    let call: Answering
    try {
      call = accept(id as number, path, json, options, marks, line)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      line.send(`${ERROR},${id}`, encodeError(error))
      return
    }
    if (text) {
      call.message = text
      call.bytes = line.bytes
      recorder!.changed(call)
    }
    perform(call, options, line)
  }

  const perform = (call: Answering, options: WireOptions, line: Line) => {
    const { window = line.window } = options
    const finish = (value: unknown) =>
      call.procedure.kind === 'subscription' ? publish(call, value, window, line) : answer(call, value)
    try {
      const result = callee.run(call.procedure, call) as PromiseLike<unknown> | undefined
      if (typeof result?.then === 'function') {
        if (!recorder || call.procedure.kind !== 'subscription') deadlines.add(call)
        result.then(finish, (error) => fail(call, error))
      } else finish(result)
    } catch (error) {
      fail(call, error)
    }
  }

  const resume: Answers['resume'] = (id, from, line, began) => {
    const message = JSON.parse(from.call) as [number, number, string, unknown, WireOptions | null, unknown]
    const [, , path, json, said, marks] = message
    const options: WireOptions = { ...said, ...(from.cursor !== undefined && { lastEventId: from.cursor }) }
    const procedure = callee.find(path) ?? GONE
    let input: unknown
    let problem: unknown
    let end: RpcError | undefined
    try {
      // Another version of the code may have woken up, where one is being developed.
      if (procedure === GONE) throw refuse('NOT_FOUND', `there is no procedure "${path}"`)
      input = codec.decode(json, marks, from.bytes)
    } catch (error) {
      problem = error
    }
    const window = Math.min(options.window || line.window, line.limits.window)
    if (from.deadline && from.deadline <= Date.now())
      end = refuse('DEADLINE_EXCEEDED', `"${path}" ran out of time`, 'unknown')
    else if (from.busy) end = refuse('UNAVAILABLE', `"${path}" slept before it had read what its stream brought`)
    // What its handler may have had ready for a reader who was slow is gone; `executed: 'no'` says that it may be called again.
    else if (from.cursor === undefined && from.untracked && from.unread >= window)
      end = refuse('DATA_LOSS', `"${path}" slept before all of its events could be sent`)
    const call = new Answering(id, path, procedure, input, options, line, false, expire, recorder)
    call.before = { unread: from.unread, unasked: from.unasked }
    call.message = from.call
    call.bytes = from.bytes
    call.deadline = from.deadline
    call.untracked = from.untracked
    call.repeats = from.untracked && from.cursor === undefined
    enlist(call, line)
    began(call)
    if (problem) return fail(call, problem)
    perform(call, options, line)
    if (!end || call.silent) return
    // Its handler runs all the same, and is left at once: what its `finally` undoes may have outlived the sleep.
    tellIfItFits(call, end)
    call.abort(end)
  }

  /** An item of the caller's input stream, or its end. */
  const receive = (call: Answering, [op, , json, marks]: Message, line: Line) => {
    const { stream } = call
    if (!stream) return
    record(call)
    try {
      const value = codec.decode(json, marks, line.bytes)
      if (op === ITEM) stream.push({ value, weight: line.weight })
      // The caller's own failure, and no error of this end's to be reported: a standard code, whatever it said.
      else stream.end(value === undefined ? {} : { error: new RpcError('ABORTED', "the caller's stream failed") })
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      stream.end({ error })
    }
  }

  const grant = (call: Answering, n: number) => {
    if (call.sender) call.sender.grant(n)
    else if (call.before) call.before.unread = Math.max(0, call.before.unread - n)
    record(call)
  }

  const isSound = (op: number, id: number, n: unknown, { firstId }: Line) => {
    if (!Number.isInteger(op) || !Number.isSafeInteger(id) || id < 1) return false
    if (op < CALL || (op > DONE && op !== CURSOR)) return false
    if (op === CREDIT) return Number.isSafeInteger(n)
    // Calls come with the other end's ids; what answers this end's calls comes with its own.
    return op < CREDIT === ((id - firstId) % 2 !== 0)
  }

  return {
    get size() {
      return size
    },
    running: { [Symbol.iterator]: () => live.values() },
    resume,
    handle(message, line) {
      const op = message[0] as number
      const id = message[1] as number
      const n = message[2] as number
      if (op === PONG) return memory?.confirm(line)
      if (!isSound(op, id, n, line)) throw new ProtocolError(op === HELLO ? SECOND_HELLO : BAD_FRAME, 'unexpected')
      if (op === CALL) return start(message, line)
      const call = live.get(id)
      // Of a subscription that a handler made to its client before it slept: nobody reads it any more.
      if (recorder && op === EVENT) line.push(`[${CANCEL},${id}]`)
      // A call that goes on elsewhere is no matter of this line any more.
      if (call?.line !== line) return
      if (op === CANCEL) call.abort(new RpcError('CANCELLED', 'the caller cancelled'))
      else if (op === ITEM || op === END) receive(call, message, line)
      else if (op === CREDIT && n < 0) call.stream?.push({ reached: () => line.credit(id, -n), weight: WEIGHT })
      else if (op === CREDIT) grant(call, n)
    },
    leave(line, reason) {
      for (const call of live.values()) {
        if (call.line !== line) continue
        if (memory && call.procedure.kind === 'mutation' && !call.silent) {
          call.line = undefined
          call.stream?.end({ error: reason })
        } else call.abort(reason)
      }
    },
    review(judge) {
      for (const call of live.values()) {
        if (call.silent || call.procedure.kind === 'mutation') continue
        judge(call).then((error) => {
          if (!error || call.silent) return
          tellIfItFits(call, error)
          call.abort(error)
        })
      }
    },
    close(reason, all) {
      for (const call of live.values()) if (all || call.procedure.retry !== 'once') call.abort(reason)
    },
  }
}
