/** How a call ended, as the rich codec encodes it. */
export interface LedgerOutcome {
  /** For `'error'` the value is an object of `code`, `message` and, where the error has them, `data`, `executed`, `retryAfter`. */
  readonly kind: 'result' | 'error'
  /** JSON of the value; empty for `undefined`. */
  readonly json: string
  /** JSON of which type stands where in the value; empty where the JSON is all. */
  readonly marks: string
  /** The value's bytes, one after the other. */
  readonly bytes?: Uint8Array
}

/** What a ledger knows of one key. */
export interface LedgerRecord {
  /** The digest of the input that the key was first used with. */
  readonly input: string
  /** How the call ended; undefined while it runs, and for good where the process ended first. */
  readonly outcome?: LedgerOutcome | undefined
}

/**
 * Remembers which calls of `retry: 'once'` mutations ran and how they ended, so that a call which is sent again has no
 * second effect. Its methods may return promises; one that returns none costs a call no turn. What a method throws fails
 * the call.
 *
 * A record is kept for a window of time, counted from `settle`, and is never dropped before: with its record a key loses
 * what keeps it from running again. One that was not settled stays as long as the process that claimed it, unless it is
 * released; where that process is gone, for a window counted from `claim`.
 */
export interface CallLedger {
  /** Whether it outlives this process: then "no record" means that the call never ran. */
  readonly durable: boolean
  /**
   * Claims a key for one run, atomically: of many claims of one key at most one may get `undefined`.
   *
   * @returns undefined where the key is now the caller's to run; else the record that stands there
   * @throws RpcError RESOURCE_EXHAUSTED, with `executed: 'no'`, where there is no room for one more record
   */
  claim(key: string, input: string): LedgerRecord | undefined | PromiseLike<LedgerRecord | undefined>
  /** Stores how the run ended. Never refuses for lack of room: the effect has happened. */
  settle(key: string, outcome: LedgerOutcome): void | PromiseLike<void>
  /** Gives a claimed key back: nothing ran. */
  release(key: string): void | PromiseLike<void>
}
