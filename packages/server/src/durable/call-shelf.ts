import { type Publishing, type Suspended, suspend } from '@pairwire/wire'
import { CallPlaces } from './call-places.ts'
import type { Piece, Shelf } from './shelf.ts'

/** Subscriptions in one page: so many of them are written together when one has changed. */
const PAGE = 32

/** One subscription in its page: what changes of it. */
type Line = readonly [
  id: number,
  cursor: string | null,
  unread: number,
  unasked: number,
  flags: number,
  deadline?: number | undefined,
  places?: readonly (readonly [topic: string, id: string])[],
]
const UNTRACKED = 1
const BUSY = 2

/**
 * A socket's subscriptions on its shelf. The message that made one is a piece of its own, `c` and its id, and does not
 * change; where it stands changes with each event, and lies in a page, `d` and a number, with others.
 */
export class CallShelf {
  readonly #shelf: Shelf
  readonly #pages: Set<Publishing>[] = []
  readonly #pageOf = new Map<Publishing, number>()
  /** The latest of each id: a call that ends late may have been followed by another. */
  readonly #byId = new Map<number, Publishing>()
  readonly #places = new Map<Publishing, CallPlaces>()
  readonly #changed = new Set<Publishing>()

  readonly #touched: (call: Publishing) => void

  /** @param touched hears of a call that has to be looked at again, for a reason that nobody else knows of */
  constructor(shelf: Shelf, touched: (call: Publishing) => void) {
    this.#shelf = shelf
    this.#touched = touched
  }

  changed(call: Publishing): void {
    this.#changed.add(call)
  }

  placesOf(call: Publishing): CallPlaces {
    let places = this.#places.get(call)
    if (!places) {
      places = new CallPlaces([], call, () => this.#touched(call))
      this.#places.set(call, places)
    }
    return places
  }

  /** Puts on the shelf what has changed. */
  save(): void {
    const pages = new Set<number>()
    for (const call of this.#changed) pages.add(this.#note(call))
    this.#changed.clear()
    for (const page of pages) {
      const lines = [...this.#pages[page]!].map((call) => this.#line(call))
      this.#shelf.set(`d${page}`, lines.length ? { text: JSON.stringify(lines) } : undefined)
    }
  }

  /** @returns the page that has to be written */
  #note(call: Publishing): number {
    let page = this.#pageOf.get(call)
    if (page === undefined) {
      page = this.#pages.findIndex(({ size }) => size < PAGE)
      if (page < 0) page = this.#pages.push(new Set()) - 1
      if (!isOver(call)) {
        this.#pages[page]!.add(call)
        this.#pageOf.set(call, page)
        this.#byId.set(call.id, call)
        this.#shelf.set(`c${call.id}`, { text: call.record!.message, bytes: call.record!.bytes })
      }
    } else if (isOver(call)) {
      this.#pages[page]!.delete(call)
      this.#pageOf.delete(call)
      this.#places.delete(call)
      if (this.#byId.get(call.id) === call) {
        this.#byId.delete(call.id)
        this.#shelf.set(`c${call.id}`, undefined)
      }
    }
    return page
  }

  #line(call: Publishing): Line {
    const { cursor, unread, unasked, untracked, busy, deadline } = suspend(call)
    const places = cursor === undefined ? this.#places.get(call)?.written() : undefined
    const flags = (untracked ? UNTRACKED : 0) + (busy ? BUSY : 0)
    const line = [call.id, cursor ?? null, unread, unasked, flags] as const
    return places ? [...line, deadline ?? 0, places] : deadline ? [...line, deadline] : line
  }

  /** Starts all of them again. @param start gives the call that was made; called in the order of their ids */
  restore(
    pieces: ReadonlyMap<string, Piece>,
    start: (id: number, suspended: Suspended, began: (call: Publishing) => void) => void,
  ): void {
    const found: { page: number; line: Line }[] = []
    for (const [name, { text }] of pieces) {
      if (name[0] !== 'd') continue
      const page = Number(name.slice(1))
      for (const line of JSON.parse(text) as Line[]) found.push({ page, line })
    }
    found.sort((a, b) => a.line[0] - b.line[0])
    for (const { page, line } of found) {
      const [id, cursor, unread, unasked, flags, deadline, places] = line
      const made = pieces.get(`c${id}`)
      if (!made) continue
      const suspended: Suspended = {
        call: made.text,
        bytes: made.bytes,
        cursor: cursor ?? undefined,
        unread,
        unasked,
        deadline: deadline || undefined,
        untracked: (flags & UNTRACKED) > 0,
        busy: (flags & BUSY) > 0,
      }
      // Before its handler runs, which may ask for its places.
      start(id, suspended, (call) => {
        while (this.#pages.length <= page) this.#pages.push(new Set())
        this.#pages[page]!.add(call)
        this.#pageOf.set(call, page)
        this.#byId.set(call.id, call)
        if (places) this.#places.set(call, new CallPlaces(places, call, () => this.#touched(call)))
      })
    }
  }
}

const isOver = (call: Publishing) => call.silent || call.released
