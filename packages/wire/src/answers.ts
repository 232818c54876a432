import { RpcError, Tracked } from '@pairwire/contract'
import { Answering } from './answering.ts'
import type { Callee } from './callee.ts'
import { BAD_FRAME, DUPLICATE_ID, ProtocolError, SECOND_HELLO } from './close.ts'
import { createDeadlines } from './deadlines.ts'
import { createInbox } from './inbox.ts'
import { type Line, WEIGHT } from './line.ts'
import {
  CALL,
  CANCEL,
  CREDIT,
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

/** The answering half of a peer. */
export interface Answers {
  /** How many calls still run. */
  readonly size: number
  /**
   * Any message but those about this end's running calls. A call whose handler is sync is answered before this returns.
   * @throws ProtocolError for one that the other end has no business to send
   */
  handle(message: Message): void
  /** The connection is gone: every handler's signal fires. */
  close(reason: RpcError): void
}

const refuse = (code: string, message: string) => new RpcError(code, message, { executed: 'no' })

/** @param timeout milliseconds for a query or mutation that says nothing else: the caller's own default */
export const createAnswers = (line: Line, limits: Limits, callee: Callee, timeout?: number): Answers => {
  const { codec } = line
  const live = new Map<number, Answering>()
  const deadlines = createDeadlines()
  let subscriptions = 0

  /** @throws RpcError where the call is refused, before anything of it is kept */
  const accept = (id: number, path: string, json: unknown, options: WireOptions, marks: unknown): Answering => {
    if (path.length > limits.path) throw refuse('INVALID_ARGUMENT', `a path has at most ${limits.path} characters`)
    const procedure = callee.find(path)
    if (!procedure) throw refuse('NOT_FOUND', `there is no procedure "${path}"`)
    const streams = procedure.kind === 'subscription'
    const max = streams ? limits.subscriptions : limits.calls
    if ((streams ? subscriptions : live.size - subscriptions) >= max)
      throw refuse('RESOURCE_EXHAUSTED', `more than ${max} ${streams ? 'subscriptions' : 'calls'} at once`)
    const asked = typeof options.timeout === 'number' ? options.timeout : streams ? undefined : timeout
    const remaining = asked ?? Number.POSITIVE_INFINITY
    if (!(remaining > 0)) throw refuse('DEADLINE_EXCEEDED', 'the deadline had passed')
    const call = new Answering(id, path, procedure, codec.decode(json, marks, line.bytes), options, expire)
    if (Number.isFinite(remaining)) call.deadline = Date.now() + remaining
    if (streams) subscriptions++
    if (procedure.takesStream)
      call.stream = createInbox({ grant: (n) => line.credit(id, n), weigh: line.weigh, leave() {} })
    live.set(id, call)
    return call
  }

  const answer = (call: Answering, value: unknown) => {
    try {
      if (!call.silent) line.send(`${RESULT},${call.id}`, codec.encode(value))
      release(call)
    } catch (error) {
      fail(call, error, true)
    }
  }

  const publish = async (call: Answering, source: unknown, window: number) => {
    const head = `${EVENT},${call.id}`
    let unsent = false
    try {
      call.sender = createSender(line, call.id, window, (event) => {
        unsent = true
        const weight =
          event instanceof Tracked
            ? line.send(head, codec.encode(event.data), JSON.stringify(event.id))
            : line.send(head, codec.encode(event), '')
        unsent = false
        return weight
      })
      if (call.silent) call.sender.close()
      else deadlines.add(call)
      if (await call.sender.run(source as Source)) line.push(`[${DONE},${call.id}]`)
      release(call)
    } catch (error) {
      fail(call, error, unsent)
    }
  }

  const tell = (id: unknown, { code, message, data, executed, retryAfter }: RpcError) => {
    // A field that is undefined would need a mark; one that is not there needs none.
    const more = {
      ...(data !== undefined && { data }),
      ...(executed && { executed }),
      ...(retryAfter && { retryAfter }),
    }
    line.send(`${ERROR},${id}`, codec.encode({ code, message, ...more }))
  }

  /** Tells what may not fit the other end's limits; the caller has a clock of its own. */
  const tellIfItFits = (id: number, error: RpcError) => {
    try {
      tell(id, error)
    } catch {}
  }

  /** Tells the caller, if it still listens. What the callee did not make for the caller is masked. */
  const fail = (call: Answering, error: unknown, unsent?: boolean) => {
    const { id, path, procedure, silent } = call
    const known = error instanceof RpcError && !unsent
    try {
      if (!silent) tell(id, known ? error : callee.mask(error, path, procedure.kind))
    } catch (cause) {
      // The error's data cannot be sent.
      tellIfItFits(id, callee.mask(cause, path, procedure.kind))
    }
    release(call)
  }

  const expire = (call: Answering) => {
    if (call.silent) return
    const error = new RpcError('DEADLINE_EXCEEDED', `"${call.path}" ran out of time`, { executed: 'unknown' })
    call.abort(error)
    tellIfItFits(call.id, error)
  }

  /** The handler has ended. */
  const release = (call: Answering) => {
    call.silent = true
    call.stream?.return()
    deadlines.delete(call)
    if (live.delete(call.id) && call.procedure.kind === 'subscription') subscriptions--
  }

  const start = ([, id, path, json, options, marks]: Message) => {
    if (typeof path !== 'string' || typeof (options ?? {}) !== 'object')
      throw new ProtocolError(BAD_FRAME, 'a call has a path')
    if (live.has(id as number)) throw new ProtocolError(DUPLICATE_ID, `call ${id} is still running`)
    let call: Answering
    try {
      call = accept(id as number, path, json, options ?? {}, marks)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      tell(id, error)
      return
    }
    const { window = line.window } = (options ?? {}) as WireOptions
    const finish = (value: unknown) =>
      call.procedure.kind === 'subscription' ? publish(call, value, window) : answer(call, value)
    try {
      const result = callee.run(call.procedure, call) as PromiseLike<unknown> | undefined
      if (typeof result?.then === 'function') {
        deadlines.add(call)
        result.then(finish, (error) => fail(call, error))
      } else finish(result)
    } catch (error) {
      fail(call, error)
    }
  }

  /** An item of the caller's input stream, or its end. */
  const receive = ([op, id, json, marks]: Message) => {
    const { stream } = live.get(id as number) ?? {}
    if (!stream) return
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

  const isSound = (op: number, id: number, n: unknown) => {
    if (op === PONG) return true
    if (!Number.isInteger(op) || !Number.isSafeInteger(id) || id < 1 || op < CALL || op > DONE) return false
    if (op === CREDIT) return Number.isSafeInteger(n)
    // Calls come with the other end's ids; what answers this end's calls comes with its own.
    return op < CREDIT === ((id - line.firstId) % 2 !== 0)
  }

  return {
    get size() {
      return live.size
    },
    handle(message) {
      const [op, id, n] = message as [number, number, number]
      if (!isSound(op, id, n)) throw new ProtocolError(op === HELLO ? SECOND_HELLO : BAD_FRAME, 'unexpected')
      const call = live.get(id)
      if (op === CALL) start(message)
      else if (op === CANCEL) call?.abort(new RpcError('CANCELLED', 'the caller cancelled'))
      else if (op === ITEM || op === END) receive(message)
      else if (op === CREDIT && n < 0) call?.stream?.push({ ask: -n, weight: WEIGHT })
      else if (op === CREDIT) call?.sender?.grant(n)
    },
    close(reason) {
      for (const call of live.values()) call.abort(reason)
    },
  }
}
