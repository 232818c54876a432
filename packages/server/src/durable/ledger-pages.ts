import type { LedgerOutcome, LedgerRecord } from '../ledger.ts'
import { joinOutcome, type OutcomePart, splitOutcome } from './outcome-parts.ts'
import { withTables } from './tables.ts'

/** Records that were made one after the other, and are dropped together. */
interface Page {
  readonly page: number
  /** When it was opened, in milliseconds of the time of day. */
  readonly begun: number
  /** When the last window of its records is over. */
  expires: number
  entries: number
  bytes: number
  /** Whether it takes new records: so does the last one. */
  open: boolean
}

/** A call as its record begins. */
export interface Claimed {
  readonly key: string
  readonly input: string
  /** The page that its record is on; undefined where it has none. */
  page: number | undefined
  /** Bytes that its record takes, about. */
  bytes: number
}

/** What a page takes before the next one is begun. */
export interface PageBounds {
  /** In milliseconds. */
  readonly time: number
  readonly entries: number
  readonly bytes: number
}

/** The records whose windows are not over, and, for a while, others of their pages. */
export interface Held {
  readonly entries: number
  readonly bytes: number
  /** When the first of their pages is over; infinite where there is none. */
  readonly until: number
}

type PageRow = { page: number; begun: number; expires: number; entries: number | null; bytes: number | null }

/** Rows dropped at once, and what else belongs to the last of them. */
const BATCH = 32

/** What a record takes beside its text and bytes, in bytes, about. */
const OVERHEAD = 64

/** What a record takes in the database, in bytes, about: text that is not ASCII takes up to three times as much. */
export const weighRecord = (key: string, input: string, outcome?: LedgerOutcome): number =>
  OVERHEAD +
  key.length +
  input.length +
  (outcome ? outcome.json.length + outcome.marks.length + (outcome.bytes?.length ?? 0) : 0)

/**
 * The records of calls in a Durable Object's SQLite, in pages as those of a book. The pages tell what is old and how much
 * there is: an index upon the time, or a counter, would cost one more row for each call. What a closed page holds is
 * written down with it; what is on the open one is counted once by each instance.
 *
 * What is there is asked of the tables each time: somebody may have called `deleteAll`.
 */
export class LedgerPages {
  readonly #storage: DurableObjectStorage
  /** The open page, as this instance counted it. */
  #open: Page | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** The record under a key, if its window is not over. */
  find(key: string, now: number): LedgerRecord | undefined {
    const rows = this.#exec<OutcomePart & { page: number; input: string }>(
      `SELECT r.page, r.input, r.kind, r.json, r.marks, r.bytes FROM pairwire_ledger_pages p
      CROSS JOIN pairwire_ledger r ON r.page = p.page AND r.key = ? AND r.expires > ? ORDER BY p.page, r.part`,
      key,
      now,
    )
    const last = rows.at(-1)
    // Where a clock was set back, the record of an earlier window may be in sight again.
    return last && { input: last.input, outcome: joinOutcome(rows.filter(({ page }) => page === last.page)) }
  }

  /** What there is; drops some of what is over. */
  hold(now: number): Held {
    const [closed] = this.#exec<{ over: number | null; entries: number; bytes: number; until: number | null }>(
      `SELECT min(page) FILTER (WHERE expires <= ?1) AS over, min(expires) FILTER (WHERE expires > ?1) AS until,
      coalesce(sum(entries) FILTER (WHERE expires > ?1), 0) AS entries,
      coalesce(sum(bytes) FILTER (WHERE expires > ?1), 0) AS bytes
      FROM pairwire_ledger_pages WHERE entries IS NOT NULL`,
      now,
    )
    const { over, entries, bytes, until } = closed!
    const last = this.#last()
    const open = last?.open && last.expires > now ? last : undefined
    if (over !== null) this.#trim(over)
    else if (last?.open && !open) this.#trim(last.page)
    return {
      entries: entries + (open?.entries ?? 0),
      bytes: bytes + (open?.bytes ?? 0),
      until: Math.min(until ?? Infinity, open?.expires ?? Infinity),
    }
  }

  /**
   * Makes room for a key's new record. Most times there is nothing to remove, and no row is written; but as any write it
   * holds back what the object sends from now on until what this turn writes is stored.
   */
  prepare(key: string): void {
    this.#remove(this.#last(), key)
  }

  /**
   * Writes what is known of a call: where its record is, else on the open page.
   *
   * @param expires when the record's window is over
   */
  write(call: Claimed, outcome: LedgerOutcome | undefined, expires: number, now: number, bounds: PageBounds): void {
    const own = this.#find(call.page)
    const there = own && own.expires > now ? own : undefined
    const page = there ?? this.#writable(expires, now, bounds)
    const parts = outcome ? splitOutcome(outcome) : [{ kind: null, json: null, marks: null, bytes: null }]
    const weight = weighRecord(call.key, call.input, outcome)
    for (const [part, { kind, json, marks, bytes }] of parts.entries())
      this.#exec(
        'INSERT OR REPLACE INTO pairwire_ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        page.page,
        call.key,
        part,
        call.input,
        expires,
        part ? 0 : weight,
        kind,
        json,
        marks,
        bytes,
      )
    this.#count(page, there ? 0 : 1, there ? weight - call.bytes : weight, expires)
    call.page = page.page
    call.bytes = weight
  }

  /** Removes the record of a call, where it has one. */
  remove({ key, page }: Claimed): void {
    this.#remove(this.#find(page), key)
  }

  #remove(page: Page | undefined, key: string): void {
    const gone = this.#exec<{ part: number; weight: number }>(
      'DELETE FROM pairwire_ledger WHERE page = ? AND key = ? RETURNING part, weight',
      page?.page ?? 0,
      key,
    )
    const head = gone.find(({ part }) => part === 0)
    if (page && head) this.#count(page, -1, -head.weight, 0)
  }

  /** Drops some records of a page, and with the last of them the page. */
  #trim(page: number): void {
    const [last] = this.#exec<{ key: string }>(
      'SELECT key FROM pairwire_ledger WHERE page = ? ORDER BY key LIMIT 1 OFFSET ?',
      page,
      BATCH - 1,
    )
    if (last) this.#exec('DELETE FROM pairwire_ledger WHERE page = ? AND key <= ?', page, last.key)
    else {
      this.#exec('DELETE FROM pairwire_ledger WHERE page = ?', page)
      this.#exec('DELETE FROM pairwire_ledger_pages WHERE page = ?', page)
    }
  }

  #find(page: number | undefined): Page | undefined {
    if (page === undefined) return undefined
    return this.#page(this.#exec<PageRow>('SELECT * FROM pairwire_ledger_pages WHERE page = ?', page)[0])
  }

  #last(): Page | undefined {
    return this.#page(this.#exec<PageRow>('SELECT * FROM pairwire_ledger_pages ORDER BY page DESC LIMIT 1')[0])
  }

  #page(row: PageRow | undefined): Page | undefined {
    if (!row) return undefined
    const { page, begun, entries, bytes } = row
    if (entries !== null && bytes !== null) return { ...row, entries, bytes, open: false }
    if (this.#open?.page === page) return this.#open
    const [count] = this.#exec<{ entries: number; bytes: number; latest: number }>(
      `SELECT count(*) FILTER (WHERE part = 0) AS entries, coalesce(sum(weight), 0) AS bytes,
      coalesce(max(expires), 0) AS latest FROM pairwire_ledger WHERE page = ?`,
      page,
    )
    const { latest, ...held } = count!
    this.#open = { page, begun, ...held, expires: Math.max(row.expires, latest), open: true }
    return this.#open
  }

  #writable(expires: number, now: number, bounds: PageBounds): Page {
    const last = this.#last()
    if (last?.open) {
      const fits = last.entries < bounds.entries && last.bytes < bounds.bytes
      // One that was begun later than now was begun before a clock was set back.
      if (fits && Math.abs(now - last.begun) < bounds.time) return last
      last.open = false
      this.#count(last, 0, 0, 0)
    }
    const page = (last?.page ?? 0) + 1
    this.#exec('INSERT INTO pairwire_ledger_pages VALUES (?, ?, ?, NULL, NULL)', page, now, expires)
    this.#open = { page, begun: now, expires, entries: 0, bytes: 0, open: true }
    return this.#open
  }

  #count(page: Page, entries: number, bytes: number, expires: number): void {
    page.entries += entries
    page.bytes += bytes
    page.expires = Math.max(page.expires, expires)
    if (page.open) return
    this.#exec(
      'UPDATE pairwire_ledger_pages SET expires = ?, entries = ?, bytes = ? WHERE page = ?',
      page.expires,
      page.entries,
      page.bytes,
      page.page,
    )
  }

  #exec<Row extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]): Row[] {
    return withTables(this.#storage, (sql) => sql.exec<Row>(query, ...values).toArray())
  }
}
