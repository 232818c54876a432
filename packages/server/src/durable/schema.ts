/** One change to the tables, from what the step before left. */
export type Step = (sql: SqlStorage) => void

/**
 * The tables that pairwire keeps in a Durable Object's SQLite, as the steps that made them. A step that was published is
 * never changed: objects have run it. What has to be different is a new step behind the last.
 */
export const STEPS: readonly Step[] = []

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
