import { RpcError } from '@pairwire/contract'
import type { CallLedger, LedgerOutcome } from '../ledger.ts'
import { type Claimed, LedgerPages, type PageBounds, weighRecord } from './ledger-pages.ts'

export interface DurableLedgerOptions {
  /** Milliseconds for which an outcome is kept, counted from the end of its call. @default 86_400_000 */
  window?: number
  /** Records at once whose windows are not over. @default 100_000 */
  entries?: number
  /** Bytes that these may take in the object's database, about. @default 67_108_864 */
  bytes?: number
}

/** What the ledgers of one instance of an object have in common. */
interface Book {
  readonly pages: LedgerPages
  /** Calls that this instance runs. Those in the tables which are not among them were cut off with another instance. */
  readonly running: Map<string, Claimed>
}

const books = new WeakMap<DurableObjectStorage, Book>()

/** A page holds at most this part of what there may be: that much is kept longer than it has to be. */
const PAGES = 16
/** A page of fewer records would not be worth its own row. */
const PAGE = 64
/** Characters of a key with the name of its input: they stand in each row of a record. */
const LENGTH = 100_000

/**
 * A ledger in the SQLite of a Durable Object: it outlives the object's sleep and its crashes. What it writes is written
 * with what the handler writes.
 *
 * - A handler without `await` is exactly once: its effects in the object's storage and the record of how it ended are in
 *   one transaction.
 * - One with `await` has its start recorded before its first `await` goes on, and before anything that it sent leaves the
 *   object. Where the object dies before its end, nobody knows what it did: such a call fails with `executed: 'unknown'`,
 *   and does not run again for a window from its start.
 *
 * At a bound it refuses new keys with `RpcError('RESOURCE_EXHAUSTED')` and when to try again. Records are dropped when
 * others are made, a few at a time; an object that is not used is not woken for it. Time is the time of day: a clock that
 * is set forward ends windows early by as much, and one that is set back makes them longer.
 *
 * @throws RangeError for options that make no sense
 * @example
 * class Shop extends RpcDurableObject<Env> {
 *   options = { ledger: durableLedger(this.ctx, { window: 3_600_000 }) }
 * }
 */
export const durableLedger = (ctx: DurableObjectState, options: DurableLedgerOptions = {}): CallLedger => {
  const window = above('window', options.window ?? 86_400_000)
  const entries = above('entries', options.entries ?? 100_000)
  const bytes = above('bytes', options.bytes ?? 67_108_864)
  const { pages, running } = bookOf(ctx.storage)
  /** Calls that began in this turn and have not ended. */
  const fresh = new Set<Claimed>()
  /** Records, when last counted. */
  let size = 0

  const bounds = (): PageBounds => ({
    time: window / PAGES,
    entries: Math.max(1, Math.min(entries / PAGES, Math.max(PAGE, size / 4))),
    bytes: bytes / PAGES,
  })

  const write = (call: Claimed, outcome?: LedgerOutcome) => {
    const now = Date.now()
    try {
      pages.write(call, outcome, now + window, now, bounds())
    } catch (cause) {
      // Of a call without any record, what it did in this turn must not stay either: SQLite takes it back.
      if (!call.page) ctx.abort(`A call could not be recorded: ${cause}`)
      throw cause
    }
  }

  const begin = () => {
    for (const call of fresh) write(call)
    fresh.clear()
  }

  return {
    durable: true,
    claim(key, input) {
      const call = running.get(key)
      if (call) return { input: call.input, outcome: undefined }
      if (key.length + input.length > LENGTH)
        throw new RpcError('INVALID_ARGUMENT', `a key has to be shorter than ${LENGTH} characters`, { executed: 'no' })
      const now = Date.now()
      const record = pages.find(key, now)
      if (record) return record
      const held = pages.hold(now)
      size = held.entries + fresh.size
      if (size >= entries || held.bytes + sum(fresh) >= bytes)
        throw new RpcError('RESOURCE_EXHAUSTED', 'too many calls are remembered: try again later', {
          executed: 'no',
          // Where all of them still run, nobody knows when there will be room.
          retryAfter: running.size < size ? Math.max(1, Math.ceil(held.until - now)) : undefined,
        })
      pages.prepare(key)
      const made = { key, input, page: undefined, bytes: weighRecord(key, input) }
      running.set(key, made)
      // A call that ends in this turn needs one row, and no other for its start.
      if (!fresh.size) queueMicrotask(begin)
      fresh.add(made)
      return undefined
    },
    settle(key, outcome) {
      const call = running.get(key)
      // Settled before: how it ended first is how it ended.
      if (!call) return
      write(call, outcome)
      running.delete(key)
      fresh.delete(call)
    },
    release(key) {
      const call = running.get(key)
      if (!call) return
      pages.remove(call)
      running.delete(key)
      fresh.delete(call)
    },
  }
}

const bookOf = (storage: DurableObjectStorage): Book => {
  const book = books.get(storage) ?? { pages: new LedgerPages(storage), running: new Map() }
  books.set(storage, book)
  return book
}

const sum = (calls: Iterable<Claimed>): number => {
  let bytes = 0
  for (const call of calls) bytes += call.bytes
  return bytes
}

const above = (name: string, value: number): number => {
  // Number.isFinite, and not the global one, which takes the text of an environment variable for a number.
  if (Number.isFinite(value) && value > 0) return value
  throw new RangeError(`durableLedger: ${name} has to be a finite number above 0, and not ${value}`)
}
