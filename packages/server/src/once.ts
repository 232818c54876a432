import { isRpcError, RpcError, type RpcErrorOptions } from '@pairwire/contract'
import type { Codec } from '@pairwire/wire'
import { digest } from './digest.ts'
import type { CallLedger, LedgerOutcome, LedgerRecord } from './ledger.ts'

/** Runs each call that has a key once. */
export interface Once {
  /** Calls under way in this process that have to wait for something. */
  readonly size: number
  /**
   * Starts a call, or answers it with what came of it before: a result, or the error it failed with. A failure with
   * `executed: 'no'` is not remembered. The same call while it runs gets the same promise. Makes no promise where neither
   * the ledger nor `start` returns one.
   *
   * @param key names the call; whose it is and of which procedure have to be parts of it
   * @param input what the key stands for from now on
   * @param resent whether the client sent the call before
   * @param start runs the call; throws, or rejects with, nothing but RpcErrors
   * @throws what `start` throws
   * @throws RpcError FAILED_PRECONDITION, with `executed: 'no'`, for a key that was used with another input
   * @throws RpcError UNAVAILABLE, with `executed: 'unknown'`, where nobody knows whether the call ran; then it does not
   * @throws what the ledger's `claim` and `release` throw: in this process nothing ran
   * @throws Error that is no RpcError, where the call ran and what came of it cannot be stored or read
   */
  run(key: string, input: unknown, resent: boolean, start: () => unknown): unknown
}

interface Run {
  readonly promise: Promise<unknown>
  /** Whether it has settled by itself. */
  over: boolean
}

type StoredError = Pick<RpcError, 'code' | 'message'> & Pick<RpcErrorOptions, 'data' | 'executed' | 'retryAfter'>

const FORGOTTEN = 'it is not known whether the call ran: it was sent before, and its record is gone'
const CUT_OFF = 'it is not known how the call ended: it was started, and no outcome is stored'
const unknown = (message: string) => new RpcError('UNAVAILABLE', message, { executed: 'unknown' })

/**
 * Gives mutations of `retry: 'once'` one effect, by a ledger of what ran. Errors are remembered as results are, since a
 * call that failed may have had an effect, too: https://docs.stripe.com/api/idempotent_requests
 *
 * @param codec the rich one, whatever the client speaks
 */
export const createOnce = (ledger: CallLedger, codec: Codec): Once => {
  /** By input and key: with another input, a call has to hear from the ledger that the key is taken. */
  const running = new Map<string, Run>()

  const store = (key: string, kind: LedgerOutcome['kind'], value: unknown): unknown => {
    // Never an RpcError: those of codecs and ledgers say `executed: 'no'`, and the effect has happened.
    const fail = (cause: unknown): never => {
      throw new Error('A call ran, but its outcome could not be stored', { cause })
    }
    let outcome: LedgerOutcome
    try {
      outcome = encode(codec, kind, value)
    } catch (cause) {
      // In its place goes what later calls are to hear: a record without outcome would stay for good.
      return after(store(key, 'error', describe(unknown(CUT_OFF))), () => fail(cause))
    }
    return attempt(
      () => ledger.settle(key, outcome),
      () => {},
      fail,
    )
  }

  const succeed = (key: string, value: unknown) => after(store(key, 'result', value), () => value)

  const fail = (key: string, error: unknown) => {
    const known = isRpcError(error) ? error : unknown(CUT_OFF)
    return after(known.executed === 'no' ? ledger.release(key) : store(key, 'error', describe(known)), () => {
      throw error
    })
  }

  /**
   * Waits for a call that runs. A Worker cancels what a request did when its socket is lost, and then rejects whoever waits
   * for its promises: nobody will know how that call ended.
   */
  const join = (name: string, key: string, run: Run): Promise<unknown> =>
    run.promise.catch((error) => {
      if (run.over) throw error
      if (running.get(name) === run) running.delete(name)
      return after(store(key, 'error', describe(unknown(CUT_OFF))), () => {
        throw unknown(CUT_OFF)
      })
    })

  const begin = (key: string, asked: string, resent: boolean, start: () => unknown): unknown =>
    after(ledger.claim(key, asked), (record) => {
      if (record) return replay(codec, record, asked)
      if (resent && !ledger.durable)
        return after(ledger.release(key), () => {
          throw unknown(FORGOTTEN)
        })
      return attempt(
        start,
        (value) => succeed(key, value),
        (error) => fail(key, error),
      )
    })

  return {
    get size() {
      return running.size
    },
    run(key, input, resent, start) {
      const asked = digest(codec.encode(input))
      const name = `${asked} ${key}`
      const joined = running.get(name)
      if (joined) return join(name, key, joined)
      const result = begin(key, asked, resent, start)
      if (!isThenable(result)) return result
      const run: Run = {
        over: false,
        promise: Promise.resolve(result).finally(() => {
          run.over = true
          if (running.get(name) === run) running.delete(name)
        }),
      }
      running.set(name, run)
      return run.promise
    },
  }
}

const replay = (codec: Codec, { input, outcome }: LedgerRecord, asked: string): unknown => {
  if (input !== asked)
    throw new RpcError(
      'FAILED_PRECONDITION',
      'the key was used with another input: use a new key for a new call, and the same input to send a call again',
      { executed: 'no' },
    )
  if (!outcome) throw unknown(CUT_OFF)
  const value = decode(codec, outcome)
  if (outcome.kind === 'result') return value
  const { code, message, ...options } = value as StoredError
  throw new RpcError(code, message, options)
}

// A field that is undefined would need a mark; one that is not there needs none.
const describe = ({ code, message, data, executed, retryAfter }: RpcError): StoredError => ({
  code,
  message,
  ...(data !== undefined && { data }),
  ...(executed && { executed }),
  ...(retryAfter && { retryAfter }),
})

const encode = (codec: Codec, kind: LedgerOutcome['kind'], value: unknown): LedgerOutcome => {
  const { json, marks = '', bytes, length } = codec.encode(value)
  if (!bytes) return { kind, json, marks }
  // A copy: the parts are still their user's memory.
  const copy = new Uint8Array(length!)
  let at = 0
  for (const part of bytes) {
    copy.set(part, at)
    at += part.length
  }
  return { kind, json, marks, bytes: copy }
}

const decode = (codec: Codec, { json, marks, bytes }: LedgerOutcome): unknown => {
  try {
    return codec.decode(
      json ? JSON.parse(json) : undefined,
      marks ? JSON.parse(marks) : undefined,
      // Of a plain Uint8Array the codec's slices are copies; of Node's Buffer, which is one by class, they are not.
      bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    )
  } catch (cause) {
    // No RpcError, for the same reason as above.
    throw new Error('A call ran, but its stored outcome cannot be read', { cause })
  }
}

const isThenable = <Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> =>
  typeof (value as PromiseLike<Value> | null | undefined)?.then === 'function'

/** Goes on with a value: at once, unless it has to be waited for. */
const after = <Value>(value: Value | PromiseLike<Value>, next: (value: Value) => unknown): unknown =>
  isThenable(value) ? Promise.resolve(value).then(next) : next(value)

/** Takes a step and goes on with what it returns or throws; what `next` throws is not the step's. */
const attempt = <Value>(
  step: () => Value | PromiseLike<Value>,
  next: (value: Value) => unknown,
  fail: (error: unknown) => unknown,
): unknown => {
  let value: Value | PromiseLike<Value>
  try {
    value = step()
  } catch (error) {
    return fail(error)
  }
  return isThenable(value) ? Promise.resolve(value).then(next, fail) : next(value)
}
