import { RpcError, type RpcErrorOptions, toRpcError } from '@pairwire/contract'
import type { Caller } from './caller.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { CREDIT, DONE, ERROR, EVENT, RESULT } from './messages.ts'
import type { Peer } from './peer.ts'
import { report } from './report.ts'
import type { Source } from './sender.ts'

/** As long as timers run: 24 days. A longer timeout, such as Infinity, is cut to it. */
const MAX_TIMEOUT = 2_147_483_647

/** What a user may say of one call. */
export interface CallSettings {
  signal?: AbortSignal | undefined
  /** Milliseconds. Without it a call has the default of its client and a subscription has none. */
  timeout?: number | undefined
  stream?: Source | undefined
  lastEventId?: string | undefined
  metadata?: Record<string, string> | undefined
}

/** What a subscriber hears. */
export interface Handlers<T> {
  /** Each event, in order; the next one waits for a promise that this returns. */
  onData?(event: T): unknown
  /** The subscription ended early; nothing follows. */
  onError?(error: RpcError): void
  /** The subscription ended by itself; nothing follows. */
  onDone?(): void
}

/** Whoever has a call carried hears of it through this. */
export interface CallOwner {
  /** It ended. Comes once. */
  ended(call: Call): void
  /** Its user reads it as a stream, so it is a subscription. May come more than once. */
  streams(call: Call): void
}

/**
 * One call as its user holds it: awaitable and async-iterable at once, since whoever calls does not know which of the
 * two the procedure is. It outlives the socket that carries it, and ends exactly once.
 */
export interface Call extends PromiseLike<unknown>, AsyncIterable<unknown, undefined>, Caller, Expiring {
  deadline: number | undefined
  /** What it sends; undefined where its input could not be encoded, which ended it. */
  input?: Encoded
  /** Whether the call has ended. */
  ended: boolean
  catch(onRejected?: ((reason: unknown) => unknown) | null): Promise<unknown>
  finally(onFinally?: (() => void) | null): Promise<unknown>
  /** Hears events through callbacks. Returns a function that leaves; no callback runs after it. */
  subscribe(handlers: Handlers<never>): () => void
  /** Puts the call on a socket. `caller` hears of it in its place, and passes on what it approves of. */
  open(peer: Peer, caller?: Caller): void
  /** Ends the call from this end, and tells the other if it knows of it. */
  end(code: string, problem: string, options?: RpcErrorOptions): void
}

/** @param timeout milliseconds, for a call that is no stream and says nothing else */
export const createCall = (
  owner: CallOwner,
  codec: Codec,
  path: string,
  input: unknown,
  { signal, timeout, stream, lastEventId, metadata }: CallSettings,
  defaultTimeout: number,
): Call => {
  let peer: Peer | undefined
  let id: number
  let inbox: Inbox | undefined
  let isStream = false
  let promise: Promise<unknown> | undefined
  let settle = (): void => {}
  let outcome: readonly [op: number, value: unknown] | undefined

  /** Made for a call that is a stream. */
  const events = () => {
    inbox ??= createInbox({
      grant: (n) => peer?.line.credit(id, n),
      weigh: (change) => peer?.line.weigh(change),
      leave: () => call.end('CANCELLED', 'left'),
    })
    return inbox
  }
  /** Made only when somebody asks, so that a call nobody awaits cannot become an unhandled rejection. */
  const asPromise = () => {
    promise ??= new Promise((resolve, reject) => {
      settle = () => outcome && (outcome[0] === ERROR ? reject : resolve)(outcome[1])
      settle()
    })
    return promise
  }
  const misused = () =>
    new RpcError('UNIMPLEMENTED', `"${path}" is ${isStream ? 'no' : 'a'} subscription`, { executed: 'unknown' })
  /** Tells the inbox how the call has ended. */
  const close = () => {
    const [op, error] = outcome!
    events().end(op === DONE ? {} : { error: op === RESULT ? misused() : error })
  }
  const cancel = (error: RpcError) => {
    peer?.cancel(id)
    call.hear(ERROR, error)
  }
  const abort = () => call.end('CANCELLED', 'aborted', { cause: signal!.reason })

  const call: Call = {
    deadline: Date.now() + Math.min(timeout ?? defaultTimeout, MAX_TIMEOUT),
    ended: false,
    // biome-ignore lint/suspicious/noThenProperty: a call is awaited
    then: (onFulfilled, onRejected) => asPromise().then(onFulfilled, onRejected),
    catch: (onRejected) => asPromise().catch(onRejected),
    finally: (onFinally) => asPromise().finally(onFinally),
    [Symbol.asyncIterator]() {
      isStream = true
      owner.streams(call)
      // A stream has no deadline unless its user set one.
      if (!timeout) call.deadline = undefined
      if (outcome) close()
      return events()
    },
    subscribe({ onData, onError = report, onDone }) {
      let left = false
      const read = async () => {
        for await (const event of call) await (left || onData?.(event as never))
      }
      read()
        .then(
          () => left || onDone?.(),
          (error) => left || onError(toRpcError(error)),
        )
        .catch(report)
      return () => {
        left = true
        events().return()
      }
    },
    open(given, caller = call) {
      try {
        const text = JSON.stringify({ timeout: timeout && call.deadline! - Date.now(), lastEventId, metadata })
        id = given.open(path, call.input!, text === '{}' ? '' : text, stream, caller)
        peer = given
      } catch (error) {
        call.hear(ERROR, toRpcError(error))
      }
    },
    hear(op, value, weight) {
      if (outcome) return
      if (op === CREDIT) events().push({ ask: value as number, weight: weight! })
      else if (op !== EVENT) {
        outcome = [op, value]
        call.ended = true
        signal?.removeEventListener('abort', abort)
        if (isStream || inbox) close()
        settle()
        owner.ended(call)
      } else if (isStream || !promise) events().push({ value, weight: weight! })
      else cancel(misused())
    },
    end(code, problem, options) {
      const executed = peer ? 'unknown' : 'no'
      cancel(new RpcError(code, `"${path}" ${problem}`, { executed, ...options }))
    },
    expire: () => call.end('DEADLINE_EXCEEDED', 'expired'),
  }

  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    call.input = codec.encode(input)
  } catch (error) {
    call.end('INVALID_ARGUMENT', `not sent: ${(error as Error).message}`, { cause: error })
  }
  return call
}
