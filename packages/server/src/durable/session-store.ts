import type { KeptResults } from '../results.ts'
import type { KeptSession, Session } from '../session.ts'
import type { SessionStore } from '../sessions.ts'
import { withTables } from './tables.ts'
import { keepResults, type WrittenResults } from './written-results.ts'

/** How a session without a socket lies in its row. */
interface Written extends WrittenResults {
  readonly lastCallId: number
  /** Each result: its call's id, its message, and how many of the row's bytes are its own. */
  readonly kept: readonly (readonly [id: number, text: string, length: number])[]
}

/** Characters and bytes of results that one row may hold: a row has at most 2 MB, and a character up to 3 bytes. */
const ROW = 600_000

/**
 * Sessions that lost their socket, in rows, until their time is over: the object may sleep before their clients come back.
 * What is overdue is taken away now and then, when something else is written.
 *
 * @param most how many rows
 */
export const createSessionStore = (storage: DurableObjectStorage, most: number, grace: number): SessionStore => {
  let trimmed = 0
  const trim = (sql: SqlStorage) => {
    const now = Date.now()
    if (now - trimmed < grace) return
    trimmed = now
    sql.exec('DELETE FROM pairwire_sessions WHERE expires <= ?', now)
    sql.exec(
      'DELETE FROM pairwire_sessions WHERE key IN (SELECT key FROM pairwire_sessions ORDER BY expires DESC LIMIT -1 OFFSET ?)',
      most,
    )
  }
  return {
    put(key, session, deadline) {
      const [state, bytes] = write(session)
      withTables(storage, (sql) => {
        trim(sql)
        sql.exec(
          'INSERT OR REPLACE INTO pairwire_sessions VALUES (?, ?, ?, ?)',
          key,
          deadline,
          JSON.stringify(state),
          bytes.length ? bytes : null,
        )
      })
    },
    take(key) {
      return withTables(storage, (sql) => {
        const [row] = sql
          .exec<{ expires: number; state: string; bytes: ArrayBuffer | null }>(
            'SELECT expires, state, bytes FROM pairwire_sessions WHERE key = ?',
            key,
          )
          .toArray()
        if (!row) return undefined
        sql.exec('DELETE FROM pairwire_sessions WHERE key = ?', key)
        if (row.expires <= Date.now()) return undefined
        return read(JSON.parse(row.state), new Uint8Array(row.bytes ?? []))
      })
    },
  }
}

const write = ({ results, pending, lastCallId }: Session): [Written, Uint8Array] => {
  const { epoch, forgotten, lost, kept } = results!
  const entries: [number, string, number][] = []
  const parts: Uint8Array[] = []
  let oldest = forgotten
  let room = ROW
  // The newest first: as beyond any bound, it is the oldest that are forgotten.
  for (const [id, { answer }] of [...kept].reverse()) {
    if (room >= 0) room -= answer.weight
    if (room < 0) {
      // They lie in the order in which they ended, and ids in that in which they began.
      oldest = Math.max(oldest, id)
      continue
    }
    let length = 0
    for (const part of answer.bytes ?? []) length += part.length
    entries.unshift([id, answer.text, length])
    parts.unshift(...(answer.bytes ?? []))
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return [{ epoch, forgotten: oldest, lost: [...lost, ...pending], lastCallId, kept: entries }, bytes]
}

const read = ({ kept, lastCallId, ...written }: Written, bytes: Uint8Array): KeptSession & { results: KeptResults } => {
  let at = 0
  const pieces = kept.map(([id, text, length]) => {
    const own = length ? bytes.subarray(at, at + length) : undefined
    at += length
    return [id, { text, bytes: own }] as const
  })
  return { lastCallId, results: keepResults(written, pieces) }
}
