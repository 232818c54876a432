import type { Counts as Taken } from '../counts.ts'

type Counts = { -readonly [K in keyof Taken]: Taken[K] }

const none = (): Counts => ({
  rowsRead: 0,
  rowsWritten: 0,
  framesIn: 0,
  framesOut: 0,
  attachments: 0,
  lives: 0,
  restored: 0,
  settled: 0,
})

export let counts: Counts = none()
const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []

/** Counts what is done with this storage, and on all sockets. */
export const countOn = (storage: DurableObjectStorage): void => {
  const { sql } = storage
  const exec = sql.exec.bind(sql) as (...args: unknown[]) => (typeof cursors)[number]
  sql.exec = ((...args: unknown[]) => {
    const cursor = exec(...args)
    // How many rows it has read is known when it has been read.
    cursors.push(cursor)
    return cursor
  }) as typeof sql.exec
}

/** Gives what was counted, and begins anew. */
export const takeCounts = (): Counts => {
  const taken = counts
  for (const { rowsRead, rowsWritten } of cursors.splice(0)) {
    taken.rowsRead += rowsRead
    taken.rowsWritten += rowsWritten
  }
  counts = none()
  return taken
}

for (const [name, count] of [
  ['send', 'framesOut'],
  ['serializeAttachment', 'attachments'],
] as const) {
  const method = WebSocket.prototype[name] as (value: unknown) => void
  WebSocket.prototype[name] = function (this: WebSocket, value: unknown) {
    counts[count]++
    return method.call(this, value)
  }
}
