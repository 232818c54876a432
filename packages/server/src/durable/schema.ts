/** One change to the tables, from what the step before left. */
export type Step = (sql: SqlStorage) => void

/**
 * The tables that pairwire keeps in a Durable Object's SQLite, as the steps that made them. A step that was published is
 * never changed: objects have run it. What has to be different is a new step behind the last.
 */
export const STEPS: readonly Step[] = [
  (sql) => {
    // What a socket keeps and its attachment has no room for; and sessions that have no socket.
    sql.exec(`CREATE TABLE pairwire_pieces (
      socket INTEGER, name TEXT, text TEXT NOT NULL, bytes BLOB, PRIMARY KEY (socket, name)
    ) WITHOUT ROWID`)
    sql.exec(`CREATE TABLE pairwire_sessions (
      key TEXT PRIMARY KEY, expires INTEGER NOT NULL, state TEXT NOT NULL, bytes BLOB
    ) WITHOUT ROWID`)
  },
  (sql) => {
    // The logs of topics. Of an event: when it was published, how many bytes are before it, and how many it takes.
    sql.exec(`CREATE TABLE pairwire_topics (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL
    )`)
    sql.exec(`CREATE TABLE pairwire_events (
      topic INTEGER, offset INTEGER, at INTEGER NOT NULL, before INTEGER NOT NULL, size INTEGER NOT NULL,
      json TEXT NOT NULL, marks TEXT, bytes BLOB, PRIMARY KEY (topic, offset)
    ) WITHOUT ROWID`)
  },
  (sql) => {
    // What ran of mutations with retry: 'once', on pages of which each is dropped as a whole. The counts of a page are written
    // when it is closed. A record is one row, or more where its outcome is large; `kind` is null until it has ended.
    sql.exec(`CREATE TABLE pairwire_ledger_pages (
      page INTEGER PRIMARY KEY, begun INTEGER NOT NULL, expires INTEGER NOT NULL, entries INTEGER, bytes INTEGER
    )`)
    sql.exec(`CREATE TABLE pairwire_ledger (
      page INTEGER, key TEXT, part INTEGER, input TEXT NOT NULL, expires INTEGER NOT NULL, weight INTEGER NOT NULL,
      kind TEXT, json TEXT, marks TEXT, bytes BLOB, PRIMARY KEY (page, key, part)
    ) WITHOUT ROWID`)
  },
]

/**
 * Brings the tables up to date: runs the steps that this object's storage has not seen, all of them or none.
 *
 * @throws Error where the tables were made by a later version, which knows what they mean and this one does not
 */
export const migrate = (storage: DurableObjectStorage, steps: readonly Step[] = STEPS): void => {
  const { sql } = storage
  storage.transactionSync(() => {
    sql.exec(
      'CREATE TABLE IF NOT EXISTS pairwire_schema (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)',
    )
    const [row] = sql.exec<{ version: number }>('SELECT version FROM pairwire_schema').toArray()
    const version = row?.version ?? 0
    if (version > steps.length)
      throw new Error(
        `This object's tables were made by a later version of pairwire (${version}; this one knows ${steps.length}): deploy that version again, or a later one.`,
      )
    if (version === steps.length) return
    for (const step of steps.slice(version)) step(sql)
    sql.exec(
      'INSERT INTO pairwire_schema VALUES (1, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
      steps.length,
    )
  })
}

/** Whether this object has tables of ours; asking makes none. */
export const hasTables = ({ sql }: DurableObjectStorage): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'pairwire_schema'").toArray().length > 0
