import { migrate } from './schema.ts'

/** Whose tables are known to be up to date: looked up once per object and wake-up. */
const migrated = new WeakSet<DurableObjectStorage>()

/** What SQLite says where tables vanished that were there, or their latest step was rolled back with its user's transaction. */
const OUTDATED = /no such (table|column)|has no column/

/**
 * Runs one statement on tables of ours, which are made or brought up to date first where that is needed: also after
 * `deleteAll()`, and after a transaction that was rolled back together with the tables it had made.
 */
export const withTables = <R>(storage: DurableObjectStorage, statement: (sql: SqlStorage) => R): R => {
  if (migrated.has(storage)) {
    try {
      return statement(storage.sql)
    } catch (error) {
      if (!OUTDATED.test(String(error))) throw error
    }
  }
  migrate(storage)
  migrated.add(storage)
  return statement(storage.sql)
}

/** Runs one statement on tables of ours that were there; undefined where they are not any more. It makes none. */
export const ifTables = <R>(storage: DurableObjectStorage, statement: (sql: SqlStorage) => R): R | undefined => {
  try {
    return statement(storage.sql)
  } catch (error) {
    if (!OUTDATED.test(String(error))) throw error
  }
}
