import { RpcError } from '@pairwire/contract'
import type { CallLedger, LedgerOutcome } from './ledger.ts'

export interface MemoryLedgerOptions {
  /** Milliseconds for which an outcome is kept, counted from the end of its call. @default 600_000 */
  window?: number
  /** Records at once, of calls that run and of those that ended. @default 100_000 */
  entries?: number
  /** Bytes that the records may take in memory, about. @default 67_108_864 */
  bytes?: number
}

/** A ledger that knows how full it is. */
export interface MemoryLedger extends CallLedger {
  /** Records it holds; also some whose window has passed, until the next claim. */
  readonly size: number
  /** Forgets everything, as the end of the process would. */
  clear(): void
}

/** What a record takes beside its text and bytes, in bytes, about. */
const OVERHEAD = 256

interface Entry {
  readonly key: string
  readonly input: string
  outcome: LedgerOutcome | undefined
  weight: number
  /** When its window is over. */
  expires: number
  /** The one that was settled next. */
  next: Entry | undefined
}

/**
 * A ledger in the memory of one process. It protects from a second effect as long as the process lives; of a call that
 * was sent to a process before, it cannot tell whether it ran, and such a call fails with `executed: 'unknown'`.
 *
 * At a bound it refuses new keys with `RpcError('RESOURCE_EXHAUSTED')` and when to try again, since a record that is
 * dropped inside its window would allow a second effect.
 *
 * @throws RangeError for options that make no sense
 * @example
 * memoryLedger({ window: 3_600_000, entries: 10_000 })
 */
export const memoryLedger = (options: MemoryLedgerOptions = {}): MemoryLedger => {
  const window = above('window', options.window ?? 600_000)
  const entries = above('entries', options.entries ?? 100_000)
  const bytes = above('bytes', options.bytes ?? 67_108_864)
  const records = new Map<string, Entry>()
  let weight = 0
  // Settled records in the order of their ends: a list, since finding a Map's first key costs a step per key deleted.
  let oldest: Entry | undefined
  let newest: Entry | undefined

  const drop = (entry: Entry) => {
    records.delete(entry.key)
    weight -= entry.weight
  }

  const expire = () => {
    const now = clock()
    for (; oldest && oldest.expires <= now; oldest = oldest.next) drop(oldest)
    if (!oldest) newest = undefined
  }

  return {
    durable: false,
    get size() {
      return records.size
    },
    claim(key, input) {
      expire()
      const entry = records.get(key)
      if (entry) return { input: entry.input, outcome: entry.outcome }
      if (records.size >= entries || weight >= bytes)
        throw new RpcError('RESOURCE_EXHAUSTED', 'too many calls are remembered: try again later', {
          executed: 'no',
          // Where all of them still run, nobody knows when there will be room.
          retryAfter: oldest && Math.max(1, Math.ceil(oldest.expires - clock())),
        })
      const made = { key, input, outcome: undefined, weight: weigh(key, input), expires: 0, next: undefined }
      records.set(key, made)
      weight += made.weight
      return undefined
    },
    settle(key, outcome) {
      const entry = records.get(key)
      // Cleared meanwhile, or settled before: how it ended first is how it ended.
      if (!entry || entry.outcome) return
      const more = weigh(outcome.json, outcome.marks) + (outcome.bytes?.length ?? 0)
      entry.outcome = outcome
      entry.weight += more
      weight += more
      entry.expires = clock() + window
      if (newest) newest.next = entry
      else oldest = entry
      newest = entry
    },
    release(key) {
      const entry = records.get(key)
      if (entry && !entry.outcome) drop(entry)
    },
    clear() {
      records.clear()
      weight = 0
      oldest = newest = undefined
    },
  }
}

/** Two bytes a character, which is the most that engines take. */
const weigh = (first: string, second: string): number => OVERHEAD / 2 + 2 * (first.length + second.length)

/** Milliseconds of a clock that nobody sets: a window must not end early because the time of day was corrected. */
const clock = (): number => performance.now()

const above = (name: string, value: number): number => {
  // Number.isFinite, and not the global one, which takes the text of an environment variable for a number.
  if (Number.isFinite(value) && value > 0) return value
  throw new RangeError(`memoryLedger: ${name} has to be a finite number above 0, and not ${value}`)
}
