import { type Gap, RpcError, type RpcErrorOptions, toRpcError } from '@pairwire/contract'
import type { Caller } from './caller.ts'
import type { Codec, Encoded } from './codec.ts'
import type { Expiring } from './deadlines.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { CREDIT, CURSOR, DONE, ERROR, EVENT, RESULT } from './messages.ts'
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
  key?: string | undefined
  onGap?: ((gap: Gap) => unknown) | undefined
}

/** What a subscriber hears. */
export interface Handlers<T> {
  /** Each event, in order; the next one waits for a promise that this returns. */
  onData?(event: T): unknown
  /** The subscription ended early; nothing follows. */
  onError?(error: RpcError): void
  /** The subscription ended by itself; nothing follows. */
  onDone?(): void
  /** Events may be missing here; others follow. Without it the subscription ends with DATA_LOSS instead. */
  onGap?(gap: Gap): unknown
}

/** Whoever has a call carried hears of it through this. */
export interface CallOwner {
  /** It ended. Comes once. */
  ended(call: Call): void
  /** Its user reads it as a stream, so it is a subscription. May come more than once. */
  streams(call: Call): void
  /** Asks to be opened again, with no error told, after this many milliseconds; false where it cannot be. */
  again?(call: Call, delay?: number): boolean
  /** Why there is no connection. */
  readonly problem?: string
}

/**
 * One call as its user holds it: awaitable and async-iterable at once, since whoever calls does not know which of the
 * two the procedure is. It outlives the socket that carries it, and ends exactly once.
 */
export interface Call extends PromiseLike<unknown>, AsyncIterable<unknown, undefined>, Caller, Expiring {
  deadline: number | undefined
  /** By which it is known on each socket that carries it; 0 before the first. */
  id: number
  /** Whether its user reads it as a stream. */
  isStream: boolean
  /** Whether it has a place in its events from which it can go on elsewhere. */
  resumes(): boolean
  /** The id of the last event that was read. */
  lastEventId: string | undefined
  /** What it sends; undefined where its input could not be encoded, which ended it. */
  input?: Encoded
  /** Whether the call has ended. */
  ended: boolean
  catch(onRejected?: ((reason: unknown) => unknown) | null): Promise<unknown>
  finally(onFinally?: (() => void) | null): Promise<unknown>
  /** Hears events through callbacks. Returns a function that leaves; no callback runs after it. */
  subscribe(handlers: Handlers<never>): () => void
  /** Puts the call on a socket, perhaps not its first. `caller` hears of it in its place, and passes on what it approves of. */
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
  { signal, timeout, stream, lastEventId, metadata, key, onGap }: CallSettings,
  defaultTimeout: number,
): Call => {
  let peer: Peer | undefined
  /** How often it was sent, since something else than a lost socket was the reason to. */
  let attempt = 0
  /** The id of the last event that came, which later ones without an id do not change. */
  let cursor = lastEventId
  /** Of the memory that each sending went to; empty where there were several. */
  let epoch: string | undefined
  let reason: Gap['reason'] = 'untracked'
  let inbox: Inbox | undefined
  let promise: Promise<unknown> | undefined
  let settle = (): void => {}
  let outcome: readonly [op: number, value: unknown] | undefined

  /** Made for a call that is a stream. */
  const events = () => {
    inbox ??= createInbox({
      weigh: (change) => peer?.line.weigh(change),
      leave: () => call.end('CANCELLED', 'left'),
      seen(id) {
        call.lastEventId = id
      },
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
    new RpcError('UNIMPLEMENTED', `"${path}" is ${call.isStream ? 'no' : 'a'} subscription`, { executed: 'unknown' })
  /** Tells the inbox how the call has ended. */
  const close = () => {
    const [op, error] = outcome!
    events().end(op === DONE ? {} : { error: op === RESULT ? misused() : error })
  }
  const cancel = (error: RpcError) => {
    peer?.cancel(call.id)
    call.hear(ERROR, error)
  }
  const tellGap = () => {
    const gap = { reason }
    // Who then asks for the state anew asks behind this call.
    // As an async function, so that what it throws is its author's to see, and nothing else.
    events().push({ weight: 0, reached: () => (async () => onGap?.(gap))().catch(report) })
    reason = 'untracked'
  }
  const abort = () => call.end('CANCELLED', 'aborted', { cause: signal!.reason })

  const call: Call = {
    id: 0,
    isStream: false,
    // No getters here: an object that has some costs twice as much to make.
    resumes: () => !!cursor,
    lastEventId,
    deadline: Date.now() + Math.min(timeout ?? defaultTimeout, MAX_TIMEOUT),
    ended: false,
    // biome-ignore lint/suspicious/noThenProperty: a call is awaited
    then: (onFulfilled, onRejected) => asPromise().then(onFulfilled, onRejected),
    catch: (onRejected) => asPromise().catch(onRejected),
    finally: (onFinally) => asPromise().finally(onFinally),
    [Symbol.asyncIterator]() {
      call.isStream = true
      // A stream has no deadline unless its user set one.
      if (!timeout) call.deadline = undefined
      owner.streams(call)
      if (outcome) close()
      return events()
    },
    subscribe({ onData, onError = report, onDone, ...handlers }) {
      let left = false
      if (handlers.onGap) onGap = (gap) => left || handlers.onGap!(gap)
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
      if (given.live.has(call.id)) return
      if (attempt && (call.isStream || inbox)) {
        // An iterator cannot be told of a gap but by an error.
        if (!cursor && !onGap) return call.end('DATA_LOSS', 'lost its place')
        // A reader that lags goes on when it has read what came before, so that not each new socket adds a window to it.
        if (inbox?.unread()) return inbox.push({ weight: 0, reached: () => owner.again?.(call) })
        if (!cursor) tellGap()
      }
      try {
        const here = given.line.epoch
        const hasOptions = timeout || cursor || metadata || key || attempt
        const text = hasOptions
          ? JSON.stringify({
              timeout: timeout || (attempt && promise) ? call.deadline! - Date.now() : undefined,
              lastEventId: cursor,
              metadata,
              key,
              ...(attempt && { attempt: attempt + 1, epoch }),
            })
          : ''
        given.open(call.id, path, call.input!, text, attempt ? undefined : stream, caller)
        epoch = attempt++ && epoch !== here ? '' : here
        peer = given
      } catch (cause) {
        const { code, message } = toRpcError(cause)
        call.end(code, `not sent: ${message}`, { cause })
      }
    },
    hear(op, value, weight, eventId) {
      if (outcome) return
      if (op === CREDIT) events().push({ weight: weight!, reached: () => peer!.line.credit(call.id, value as number) })
      else if (op === EVENT) {
        cursor = eventId ?? cursor
        if (call.isStream || !promise) events().push({ value, weight: weight!, id: eventId })
        else cancel(misused())
      } else if (op === CURSOR && value) cursor = value as string
      // Its handler has started again, with no place to go on from: an iterator goes on without a word.
      else if (op === CURSOR) tellGap()
      else {
        const { code, executed, retryAfter } = Object(value) as RpcError
        if (op === ERROR && !stream) {
          if (code === 'DATA_LOSS' && (cursor || executed === 'no') && onGap && owner.again?.(call)) {
            cursor = undefined
            reason = 'lost'
            return
          }
          // Refused, and not run now: not an outcome yet.
          if (code === 'RESOURCE_EXHAUSTED' && executed !== 'yes' && retryAfter && owner.again?.(call, retryAfter)) {
            // A subscription that was refused has not run, and its gap was told.
            if (executed === 'no' || call.isStream || inbox) {
              peer = undefined
              attempt = call.id = 0
            }
            return
          }
        }
        outcome = [op, value]
        call.ended = true
        signal?.removeEventListener('abort', abort)
        if (call.isStream || inbox) close()
        settle()
        owner.ended(call)
      }
    },
    end(code, problem, options) {
      const executed = peer ? 'unknown' : 'no'
      cancel(new RpcError(code, `"${path}" ${problem}`, { executed, ...options }))
    },
    expire: () => call.end('DEADLINE_EXCEEDED', `expired${owner.problem ? `: ${owner.problem}` : ''}`),
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
