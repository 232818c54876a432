import type { Draft, History, Message, Person, Picture } from './contract.ts'

/** Messages that a room keeps, pictures among them, and messages on one page of its history. */
const KEPT = 5_000
const PICTURES = 200
const PAGE = 50

type Row = {
  place: number
  id: string
  author: string
  name: string
  text: string
  at: number
  width: number | null
  height: number | null
}

/** What was said in a room, in two tables of the room's own: pairwire's stand beside them, in the same database. */
export class Archive {
  readonly #sql: SqlStorage

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql
    sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, author TEXT NOT NULL, name TEXT NOT NULL,
      text TEXT NOT NULL, at INTEGER NOT NULL, width INTEGER, height INTEGER)`)
    sql.exec('CREATE TABLE IF NOT EXISTS pictures (place INTEGER PRIMARY KEY, type TEXT NOT NULL, bytes BLOB NOT NULL)')
  }

  add({ id, text, picture }: Draft, { id: author, name }: Person): Message {
    const [row] = this.#sql
      .exec<Row>(
        'INSERT INTO messages (id, author, name, text, at, width, height) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *',
        ...[id, author, name, text, Date.now(), picture?.width ?? null, picture?.height ?? null],
      )
      .toArray()
    const { place } = row!
    this.#sql.exec('DELETE FROM messages WHERE place <= ?', place - KEPT)
    if (picture) {
      this.#sql.exec('INSERT INTO pictures VALUES (?, ?, ?)', place, picture.type, picture.bytes)
      this.#sql.exec(
        'DELETE FROM pictures WHERE place NOT IN (SELECT place FROM pictures ORDER BY place DESC LIMIT ?)',
        PICTURES,
      )
    }
    return messageOf(row!)
  }

  /** The last messages, or the last before a place. */
  page(before: number = Number.MAX_SAFE_INTEGER): History {
    const rows = this.#sql
      .exec<Row>('SELECT * FROM messages WHERE place < ? ORDER BY place DESC LIMIT ?', before, PAGE + 1)
      .toArray()
    return { messages: rows.slice(0, PAGE).map(messageOf).reverse(), more: rows.length > PAGE }
  }

  picture(message: string): Picture | undefined {
    const [row] = this.#sql
      .exec<{ type: Picture['type']; bytes: ArrayBuffer; width: number; height: number }>(
        'SELECT type, bytes, width, height FROM pictures JOIN messages USING (place) WHERE id = ?',
        message,
      )
      .toArray()
    return row && { ...row, bytes: new Uint8Array(row.bytes) }
  }
}

const messageOf = ({ id, place, author, name, text, at, width, height }: Row): Message => ({
  id,
  place,
  author: { id: author, name },
  text,
  at: new Date(at),
  picture: width && height ? { width, height } : undefined,
})
