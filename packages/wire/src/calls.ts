import { RpcError, type RpcErrorOptions } from '@pairwire/contract'
import type { Encoded } from './codec.ts'
import type { Line } from './line.ts'
import { CALL, CANCEL, DONE, END, EVENT, ITEM, type Message, RESULT } from './messages.ts'
import { createSender, type Sender, type Source } from './sender.ts'

/** Whoever made a call hears of it through this. Exactly one of result, done and fail ends it. */
export interface Caller {
  result(value: unknown): void
  event(value: unknown, weight: number, eventId: string | undefined): void
  /** The callee asks for `n` bytes to be granted once the events so far have been read. */
  ask(n: number): void
  done(): void
  fail(error: RpcError): void
}

/** The calling half of a peer. */
export interface Calls {
  readonly line: Line
  /**
   * Makes a call; returns its id. `options` is JSON, or empty.
   * @throws RpcError for a message larger than the other end takes
   */
  open(path: string, input: Encoded, options: string, stream: Source | undefined, caller: Caller): number
  /** Tells the callee, unless the call has ended; what still comes of it is ignored. */
  cancel(id: number): void
  /** The other end is ready: input streams start. */
  resume(): void
  /** A message about one of this end's calls. */
  handle(message: Message): void
  credit(id: number, n: number): void
  /** The socket is gone: every call ends. */
  close(error: RpcError): void
}

/** @param firstId the connector's ids are odd and start at 1, the acceptor's are even */
export const createCalls = (line: Line, firstId: number, ready: boolean): Calls => {
  const live = new Map<number, { caller: Caller; sender?: Sender }>()
  let nextId = firstId
  let resume = () => {}
  const resumed = ready
    ? undefined
    : new Promise<void>((resolve) => {
        resume = resolve
      })

  const upload = async (id: number, stream: Source) => {
    const call = live.get(id)!
    try {
      await resumed
      if (!live.has(id)) return
      call.sender = createSender(line, id, line.window, (item) => line.send(`${ITEM},${id}`, line.codec.encode(item)))
      if (await call.sender.run(stream)) line.push(`[${END},${id}]`)
    } catch (cause) {
      if (!end(id)) return
      line.error(`${END},${id}`, new RpcError('ABORTED', "the caller's input stream failed"))
      call.caller.fail(new RpcError('ABORTED', `the input stream failed: ${cause}`, { cause, executed: 'unknown' }))
    }
  }

  const end = (id: number) => {
    live.get(id)?.sender?.close()
    return live.delete(id)
  }

  const calls: Calls = {
    line,
    open(path, input, options, stream, caller) {
      const id = nextId
      nextId += 2
      line.send(`${CALL},${id},${JSON.stringify(path)}`, input, options)
      live.set(id, { caller })
      if (stream) upload(id, stream)
      return id
    },
    cancel(id) {
      if (end(id)) line.push(`[${CANCEL},${id}]`)
    },
    resume: () => resume(),
    handle([op, id, json, marks, late]) {
      const { caller } = live.get(id as number) ?? {}
      // One that it does not know has ended, and the other end could not know yet.
      if (!caller) return
      try {
        // An event has its id before its marks.
        const value = line.codec.decode(json, op === EVENT ? late : marks, line.bytes)
        if (op === EVENT) caller.event(value, line.weight, (marks ?? undefined) as string | undefined)
        else {
          end(id as number)
          if (op === RESULT) caller.result(value)
          else if (op === DONE) caller.done()
          else caller.fail(remoteError(value))
        }
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        calls.cancel(id as number)
        caller.fail(new RpcError('INTERNAL', `the answer cannot be read: ${error.message}`, { executed: 'yes' }))
      }
    },
    credit(id, n) {
      const call = live.get(id)
      if (n < 0) call?.caller.ask(-n)
      else call?.sender?.grant(n)
    },
    close(error) {
      for (const [id, { caller }] of live) {
        end(id)
        caller.fail(error)
      }
    },
  }
  return calls
}

/** An error as the other end told it. */
export const remoteError = (value: unknown): RpcError => {
  const { code, message, ...options } = (value ?? {}) as RpcErrorOptions & { code?: unknown; message?: unknown }
  return new RpcError(`${code}`, `${message}`, { executed: 'unknown', ...options, remote: true })
}
