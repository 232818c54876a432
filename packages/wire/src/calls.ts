import { RpcError, type RpcErrorOptions } from '@pairwire/contract'
import type { Encoded } from './codec.ts'
import type { Line } from './line.ts'
import { CALL, CANCEL, CREDIT, DONE, END, EVENT, ITEM, type Message, RESULT } from './messages.ts'
import { createSender, type Sender, type Source } from './sender.ts'

/** Whoever made a call hears of it through this. Exactly one of result, done and fail ends it. */
export interface Caller {
  result(value: unknown): void
  event(value: unknown, weight: number, eventId: unknown): void
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
  /** The socket is gone: every call ends. */
  close(error: RpcError): void
}

/** @param firstId the connector's ids are odd and start at 1, the acceptor's are even */
export const createCalls = (line: Line, firstId: number): Calls => {
  const live = new Map<number, { caller: Caller; sender?: Sender }>()
  let nextId = firstId
  let resume: () => void
  const resumed = new Promise<void>((resolve) => {
    resume = resolve
  })

  const end = (id: number) => {
    live.get(id)?.sender?.close()
    return live.delete(id)
  }

  const upload = async (id: number, stream: Source) => {
    await resumed
    const call = live.get(id)
    if (!call) return
    try {
      call.sender = createSender(line, id, line.window, (item) => line.send(`${ITEM},${id}`, line.codec.encode(item)))
      if (await call.sender.run(stream)) line.push(`[${END},${id}]`)
    } catch (cause) {
      if (!end(id)) return
      line.push(`[${END},${id},{"code":"ABORTED","message":"the caller's stream failed"}]`)
      call.caller.fail(new RpcError('ABORTED', `the stream failed: ${cause}`, { cause, executed: 'unknown' }))
    }
  }

  const cancel = (id: number) => {
    if (end(id)) line.push(`[${CANCEL},${id}]`)
  }

  return {
    line,
    open(path, input, options, stream, caller) {
      line.send(`${CALL},${nextId},${JSON.stringify(path)}`, input, options)
      live.set(nextId, { caller })
      if (stream) upload(nextId, stream)
      nextId += 2
      return nextId - 2
    },
    cancel,
    resume: () => resume(),
    handle([op, id, json, marks, late]) {
      const call = live.get(id as number)
      // One that it does not know has ended, and the other end could not know yet.
      if (!call) return
      const { caller, sender } = call
      if (op === CREDIT) {
        const n = json as number
        if (n < 0) caller.ask(-n)
        else sender?.grant(n)
        return
      }
      // An event has its id before its marks.
      let value: unknown
      try {
        value = line.codec.decode(json, op === EVENT ? late : marks, line.bytes)
      } catch (error) {
        cancel(id as number)
        caller.fail(new RpcError('INTERNAL', (error as Error).message, { executed: 'yes' }))
        return
      }
      if (op === EVENT) caller.event(value, line.weight, marks)
      else {
        end(id as number)
        if (op === RESULT) caller.result(value)
        else if (op === DONE) caller.done()
        else caller.fail(remoteError(value))
      }
    },
    close(error) {
      for (const [id, { caller }] of live) {
        end(id)
        caller.fail(error)
      }
    },
  }
}

/** An error as the other end told it. */
export const remoteError = (value: unknown): RpcError => {
  const { code, message, ...options } = (value ?? {}) as RpcErrorOptions & { code?: unknown; message?: unknown }
  return new RpcError(`${code}`, `${message}`, { executed: 'unknown', ...options, remote: true })
}
