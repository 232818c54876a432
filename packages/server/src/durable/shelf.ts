import { joinBytes, splitBytes, splitText } from './outcome-parts.ts'
import { withTables } from './tables.ts'

/** A piece of what a socket keeps: text, and bytes where it has some. */
export interface Piece {
  readonly text: string
  readonly bytes?: Uint8Array | undefined
}

/** An attachment as it is written: names and texts in turn, and the bytes of those that have some. */
interface Attachment {
  readonly v: 1
  /** By which rows belong to the socket. */
  readonly key: number
  /** How many rows those are. */
  readonly rows: number
  readonly pieces: string[]
  readonly bytes?: Record<string, Uint8Array>
}

/** Bytes that an attachment may have, of the platform's 16,384: https://developers.cloudflare.com/durable-objects/best-practices/websockets/ */
const ROOM = 15_000
/** What a piece takes beside its name and text. */
const OVERHEAD = 16
/**
 * Of that room, what the pieces of each kind may take; a kind is the first letter of a name. So many calls leave room for
 * what changes with each event, and would be dear in rows.
 */
const SHARES: Readonly<Record<string, number>> = { h: 5_500, c: 3_500, d: 4_000, r: 1_500, s: 1_000 }
const SMALL = 500

// biome-ignore lint/suspicious/noControlCharactersInRegex: what V8 keeps in one byte a character
const NARROW = /^[\x00-\xff]*$/

/** A piece in rows of which each is as small as the platform wants it: mostly one. */
const rowsOf = ({ text, bytes }: Piece): { text: string; bytes: ArrayBuffer | null }[] => {
  const texts = splitText(text)
  const blobs = bytes ? splitBytes(bytes) : []
  const length = Math.max(1, texts.length, blobs.length)
  return Array.from({ length }, (_, i) => ({ text: texts[i] ?? '', bytes: blobs[i] ?? null }))
}
/** The name of a piece's n-th row; they sort as they come. */
const rowName = (name: string, n: number) => (n ? `${name}#${`${n}`.padStart(4, '0')}` : name)

/** The bytes that V8's serialization takes for it, or a few more. */
const sizeOf = (name: string, { text, bytes }: Piece) =>
  OVERHEAD + name.length + text.length * (NARROW.test(text) ? 1 : 2) + (bytes ? OVERHEAD + bytes.length : 0)

/**
 * What one socket keeps for when its object wakes up: pieces by their names. They lie in the socket's attachment, which
 * costs next to nothing, and those that find no room there in rows.
 */
export class Shelf {
  readonly key: number
  /** Whether something that lay in rows is not there any more, as after `deleteAll()`. */
  broken = false
  readonly #ws: WebSocket
  readonly #storage: DurableObjectStorage
  readonly #inline = new Map<string, { readonly piece: Piece; readonly size: number }>()
  /** Pieces in rows, and in how many each. */
  readonly #rows = new Map<string, number>()
  /** Bytes in the attachment, by kind. */
  readonly #used = new Map<string, number>()
  #total = 0
  #changed = false
  /** Pieces in rows that have changed; undefined: to be deleted. */
  readonly #changedRows = new Map<string, Piece | undefined>()

  private constructor(ws: WebSocket, storage: DurableObjectStorage, key: number) {
    this.#ws = ws
    this.#storage = storage
    this.key = key
  }

  /** An empty one. @param key which no other socket of this object has */
  static make(ws: WebSocket, storage: DurableObjectStorage, key: number): Shelf {
    return new Shelf(ws, storage, key)
  }

  /** The one that a socket has, and all that lies on it; undefined for a socket that has none. */
  static find(ws: WebSocket, storage: DurableObjectStorage): { shelf: Shelf; pieces: Map<string, Piece> } | undefined {
    const attachment = ws.deserializeAttachment() as Attachment | null
    if (attachment?.v !== 1 || !Array.isArray(attachment.pieces)) return undefined
    const { key, rows, pieces: flat, bytes = {} } = attachment
    const shelf = new Shelf(ws, storage, key)
    const pieces = new Map<string, Piece>()
    for (let i = 0; i < flat.length; i += 2) {
      const piece = { text: flat[i + 1]!, bytes: bytes[flat[i]!] }
      pieces.set(flat[i]!, piece)
      shelf.#place(flat[i]!, piece, sizeOf(flat[i]!, piece))
    }
    if (rows) {
      const found = withTables(storage, (sql) =>
        sql
          .exec<{ name: string; text: string; bytes: ArrayBuffer | null }>(
            'SELECT name, text, bytes FROM pairwire_pieces WHERE socket = ? ORDER BY name',
            key,
          )
          .toArray(),
      )
      shelf.broken = found.length !== rows
      for (const row of found) {
        const [name = ''] = row.name.split('#')
        const bytes = row.bytes ? new Uint8Array(row.bytes) : undefined
        const { text = '', bytes: before } = shelf.#rows.has(name) ? pieces.get(name)! : {}
        shelf.#rows.set(name, (shelf.#rows.get(name) ?? 0) + 1)
        pieces.set(name, {
          text: text + row.text,
          bytes: before && bytes ? joinBytes([before, bytes]) : (before ?? bytes),
        })
      }
    }
    return { shelf, pieces }
  }

  /** Puts a piece there, or takes it away. Nothing is written yet. */
  set(name: string, piece: Piece | undefined): void {
    if (this.#rows.has(name)) {
      // What was too large once stays where it is, so that it does not move back and forth.
      this.#changedRows.set(name, piece)
      if (piece) return
      this.#rows.delete(name)
      this.#changed = true
      return
    }
    const known = this.#inline.get(name)?.piece
    if (known && piece && known.text === piece.text && known.bytes === piece.bytes) return
    this.#take(name)
    if (!piece) return
    const size = sizeOf(name, piece)
    const kind = name[0]!
    if (this.#total + size <= ROOM && (this.#used.get(kind) ?? 0) + size <= (SHARES[kind] ?? SMALL))
      this.#place(name, piece, size)
    else this.#shelve(name, piece)
    this.#changed = true
  }

  /** Writes what has changed. */
  save(): void {
    if (this.#changedRows.size) this.#saveRows()
    if (!this.#changed) return
    this.#changed = false
    try {
      this.#attach()
    } catch {
      // An estimate was wrong, or the platform's own limit is another one by now.
      for (const [name, { piece }] of this.#inline) {
        this.#take(name)
        this.#shelve(name, piece)
      }
      this.#saveRows()
      this.#changed = false
      this.#attach()
    }
  }

  /** Takes away everything, also the mark that there is a shelf. */
  clear(): void {
    if (this.#rows.size || this.#changedRows.size)
      withTables(this.#storage, (sql) => sql.exec('DELETE FROM pairwire_pieces WHERE socket = ?', this.key))
    this.#rows.clear()
    this.#changedRows.clear()
    this.#inline.clear()
    this.#changed = false
    this.#ws.serializeAttachment(null)
  }

  #place(name: string, piece: Piece, size: number): void {
    this.#inline.set(name, { piece, size })
    this.#account(name, size)
  }

  #take(name: string): void {
    const known = this.#inline.get(name)
    if (!known) return
    this.#inline.delete(name)
    this.#account(name, -known.size)
    this.#changed = true
  }

  #shelve(name: string, piece: Piece): void {
    this.#rows.set(name, 0)
    this.#changedRows.set(name, piece)
    this.#changed = true
  }

  #account(name: string, size: number): void {
    const kind = name[0]!
    this.#used.set(kind, (this.#used.get(kind) ?? 0) + size)
    this.#total += size
  }

  #attach(): void {
    const pieces: string[] = []
    let bytes: Record<string, Uint8Array> | undefined
    for (const [name, { piece }] of this.#inline) {
      pieces.push(name, piece.text)
      if (!piece.bytes) continue
      bytes ??= {}
      bytes[name] = piece.bytes
    }
    let rows = 0
    for (const count of this.#rows.values()) rows += count
    const attachment: Attachment = { v: 1, key: this.key, rows, pieces, ...(bytes && { bytes }) }
    this.#ws.serializeAttachment(attachment)
  }

  #saveRows(): void {
    withTables(this.#storage, (sql) => {
      for (const [name, piece] of this.#changedRows) {
        const rows = piece ? rowsOf(piece) : []
        // A piece that is taken away may have been many.
        if (!rows.length || (this.#rows.get(name) ?? 0) > rows.length)
          sql.exec(
            'DELETE FROM pairwire_pieces WHERE socket = ? AND (name = ? OR name GLOB ?)',
            this.key,
            name,
            `${name}#*`,
          )
        for (const [n, { text, bytes }] of rows.entries())
          sql.exec(
            'INSERT INTO pairwire_pieces VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text, bytes = excluded.bytes',
            this.key,
            rowName(name, n),
            text,
            bytes,
          )
        if (rows.length === (this.#rows.get(name) ?? 0)) continue
        if (rows.length) this.#rows.set(name, rows.length)
        this.#changed = true
      }
    })
    this.#changedRows.clear()
  }
}

/** The highest key that rows have; 0 if there are none. */
export const lastShelf = (storage: DurableObjectStorage): number =>
  withTables(storage, (sql) =>
    sql.exec<{ last: number }>('SELECT coalesce(max(socket), 0) AS last FROM pairwire_pieces').one(),
  ).last

/** Takes away the rows of sockets that are there no more: a deploy drops sockets without a word. */
export const clearShelves = (storage: DurableObjectStorage, isThere: (key: number) => boolean): void =>
  withTables(storage, (sql) => {
    for (let last = -1; ; ) {
      const next = sql
        .exec<{ socket: number | null }>('SELECT min(socket) AS socket FROM pairwire_pieces WHERE socket > ?', last)
        .one().socket
      if (next === null) return
      last = next
      if (!isThere(next)) sql.exec('DELETE FROM pairwire_pieces WHERE socket = ?', next)
    }
  })
