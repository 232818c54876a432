import type { StoredEvent } from './stored-event.ts'
import { ifTables, withTables } from './tables.ts'

/** Where an event stands in its log. */
export interface Mark {
  readonly offset: number
  /** When it was published, in milliseconds since the epoch; not before the event before it. */
  readonly at: number
  /** How many bytes the events before it take, since the log began, and how many it takes. */
  readonly before: number
  readonly size: number
}

/** A log, with its last event; one at offset 0 where there is none. */
export interface Log {
  readonly id: number
  readonly epoch: string
  readonly last: Mark
}

/** The offset is null where there is no event, and the rest as well. */
type Found = Omit<Log, 'last'> & Omit<Mark, 'offset'> & { readonly offset: number | null }
type Row<T> = { [K in keyof T]: T[K] & SqlStorageValue }

const NONE: Mark = { offset: 0, at: 0, before: 0, size: 0 }

// Each statement on events asks for the log's epoch too: where all was deleted meanwhile, its id may be another topic's.
const EVENTS = 'FROM pairwire_topics t CROSS JOIN pairwire_events e ON e.topic = t.id WHERE t.id = ?1 AND t.epoch = ?2'
const MARK = 'e.offset, e.at, e.before, e.size'
const FIND = `SELECT t.id, t.epoch, ${MARK} FROM pairwire_topics t LEFT JOIN pairwire_events e
  ON e.topic = t.id AND e.offset = (SELECT max(offset) FROM pairwire_events WHERE topic = t.id) WHERE t.name = ?`

/** The statements on the tables of topics. */
export class TopicTable {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** The log of a topic, which is made if there is none. */
  open(name: string, epoch: () => string): Log {
    const known = this.#run<Found>(FIND, name)[0]
    if (known) return logOf(known)
    const made = epoch()
    const [row] = this.#run<{ id: number }>(
      'INSERT INTO pairwire_topics (name, epoch) VALUES (?, ?) RETURNING id',
      name,
      made,
    )
    return { id: row!.id, epoch: made, last: NONE }
  }

  /** The log of a topic, if it is still there. */
  find(name: string): Log | undefined {
    const known = this.#ask<Found>(FIND, name)[0]
    return known && logOf(known)
  }

  /** Gives a log another epoch: its events have other ids then. */
  renew({ id, last }: Log, epoch: string): Log {
    this.#ask('UPDATE pairwire_topics SET epoch = ? WHERE id = ?', epoch, id)
    return { id, epoch, last }
  }

  append({ id }: Log, { offset, at, before, size }: Mark, { json, marks, bytes }: StoredEvent): void {
    this.#run(
      'INSERT INTO pairwire_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      offset,
      at,
      before,
      size,
      json,
      marks,
      bytes,
    )
  }

  mark({ id, epoch }: Log, offset: number): Mark | undefined {
    return this.#ask<Mark>(`SELECT ${MARK} ${EVENTS} AND e.offset = ?3`, id, epoch, offset)[0]
  }

  oldest({ id, epoch }: Log): Mark | undefined {
    return this.#ask<Mark>(`SELECT ${MARK} ${EVENTS} ORDER BY e.offset LIMIT 1`, id, epoch)[0]
  }

  /** Some events from an offset on: one at least, and no more than take so many bytes, but for the last of them. */
  page({ id, epoch }: Log, from: number, to: number, bytes: number): (StoredEvent & { offset: number })[] {
    return this.#ask(
      `SELECT e.offset, e.size, e.json, e.marks, e.bytes ${EVENTS} AND e.offset BETWEEN ?3 AND ?4
        AND e.before < (SELECT before FROM pairwire_events WHERE topic = ?1 AND offset = ?3) + ?5 ORDER BY e.offset`,
      id,
      epoch,
      from,
      to,
      bytes,
    )
  }

  /** Deletes the events before an offset. */
  delete({ id, epoch }: Log, before: number): void {
    this.#ask(
      `DELETE FROM pairwire_events
        WHERE topic = (SELECT id FROM pairwire_topics WHERE id = ? AND epoch = ?) AND offset < ?`,
      id,
      epoch,
      before,
    )
  }

  #run<T>(statement: string, ...values: unknown[]): T[] {
    return withTables(this.#storage, (sql) => sql.exec<Row<T>>(statement, ...values).toArray()) as T[]
  }

  /** Where the tables have vanished, there is nothing. */
  #ask<T>(statement: string, ...values: unknown[]): T[] {
    return (ifTables(this.#storage, (sql) => sql.exec<Row<T>>(statement, ...values).toArray()) ?? []) as T[]
  }
}

const logOf = ({ id, epoch, offset, at, before, size }: Found): Log => ({
  id,
  epoch,
  last: offset === null ? NONE : { offset, at, before, size },
})
