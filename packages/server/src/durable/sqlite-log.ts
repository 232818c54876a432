import { type Tracked, tracked } from '@pairwire/contract'
import type { Codec } from '@pairwire/wire'
import { nanoid } from 'nanoid'
import { Later } from '../later.ts'
import type { Retention } from '../retention.ts'
import { idAt, type Standing, type TopicLog, type Waiting } from '../topic-log.ts'
import type { CachedEvent, EventCache } from './event-cache.ts'
import { loadEvent, storeEvent } from './stored-event.ts'
import type { Log, Mark, TopicTable } from './topic-table.ts'

/** What the logs of an object share. */
export interface Shared {
  readonly table: TopicTable
  readonly cache: EventCache
  /** The logs that somebody waits for: they are kept, also where nobody else holds them. */
  readonly awaited: Set<object>
}

/** How much is read at once: events, and bytes. */
const PAGE = 64
const PAGE_BYTES = 262_144
/** Events that readers do not see any more are deleted once there are so many of them, or so many bytes; so many at once. */
const IDLE = 64
const IDLE_BYTES = 1_048_576
const DELETED = 1_024

const START: Mark = { offset: 0, at: 0, before: 0, size: 0 }
const newEpoch = (): string => nanoid(10)
const NOWHERE: Log = { id: 0, epoch: '', last: START }

/**
 * The log of a topic in SQLite. What is known of it here is a copy, and SQLite's word is the truth: a publish may be
 * undone together with the transaction that it was part of, and all may be deleted.
 *
 * Synchronous transactions have ended when the turn that began them has. So what was published in a turn is read when it
 * is over, if it is still there.
 */
export class SqliteLog<T> implements TopicLog<T> {
  readonly retention: Retention
  readonly codec: Codec
  readonly later: Later = new Later()
  readonly #shared: Shared
  readonly #name: string
  readonly #waiting = new Set<Waiting>()
  /** Who took a place in this turn, perhaps behind what will be undone. */
  readonly #standing = new Set<Standing>()
  #log = NOWHERE
  /** The last event that may be read. */
  #ready = START
  #settles = false
  /** Whether it has been looked up by what runs now. When an object wakes up, hundreds of readers take their places at once. */
  #fresh = false
  /** Whether there is one in the tables since this turn. */
  #made = false
  #first = 1
  /** The oldest event that is there, and the oldest one to be seen, or the last if none is; not known after waking up. */
  #oldest: Mark | undefined
  #bound: Mark | undefined

  constructor(shared: Shared, name: string, retention: Retention, codec: Codec) {
    this.#shared = shared
    this.#name = name
    this.retention = retention
    this.codec = codec
  }

  get epoch(): string {
    return this.#log.epoch
  }
  get first(): number {
    return this.#first
  }
  get last(): number {
    return this.#log.last.offset
  }
  get ready(): number {
    return this.#ready.offset
  }

  append(value: T): void {
    // First, as it may run code of the value's, and may throw.
    const stored = storeEvent(this.codec, value)
    this.#look()
    const { offset, at, before, size } = this.#log.last
    const last = { offset: offset + 1, at: Math.max(at, Date.now()), before: before + size, size: stored.size }
    this.#shared.table.append(this.#log, last, stored)
    this.#log = { ...this.#log, last }
    this.#shared.cache.add(idAt(this, last.offset), stored)
    this.#fresh = false
    this.#settle()
  }

  refresh(): void {
    if (this.#fresh) return
    this.#look()
    // What was made or published in this turn may be undone in it.
    if (this.#settles || this.#made) return
    this.#fresh = true
    queueMicrotask(() => {
      this.#fresh = false
    })
  }

  read(offset: number): Tracked<T> | undefined {
    const { table, cache } = this.#shared
    const id = idAt(this, offset)
    let found = cache.get(id)
    if (!found) {
      const rows = table.page(this.#log, offset, Math.min(offset + PAGE - 1, this.ready), PAGE_BYTES)
      // From the last to the first, as the first is the one that must not be pushed out by the others.
      for (const row of rows.reverse()) found = cache.add(idAt(this, row.offset), row)
    }
    return found && this.#load(id, found)
  }

  wait(reader: Waiting): void {
    this.#waiting.add(reader)
    this.#shared.awaited.add(this)
  }

  leave(reader: Waiting): void {
    if (this.#waiting.delete(reader) && this.#waiting.size === 0) this.#shared.awaited.delete(this)
  }

  mind(reader: Standing): void {
    if (this.#settles) this.#standing.add(reader)
  }

  #load(id: string, entry: CachedEvent): Tracked<T> {
    if (!entry.event) {
      // It is the same for everyone and stays as it is: it may be encoded once for all.
      entry.event = tracked(id, loadEvent(this.codec, entry.stored!)).share()
      entry.stored = undefined
    }
    return entry.event as Tracked<T>
  }

  #look(): void {
    const make = () => {
      this.#made = true
      queueMicrotask(() => {
        this.#made = false
      })
      return newEpoch()
    }
    this.#compare(this.#shared.table.open(this.#name, make))
  }

  /** Takes note of what is there: of nothing, if all was deleted. */
  #compare(found: Log = NOWHERE): void {
    const { epoch, last } = this.#log
    if (found.epoch !== epoch) this.#adopt(found)
    // What readers may have seen was undone, by a transaction that took more than its turn. Their ids must not come again.
    else if (found.last.offset < this.ready) this.#adopt(this.#shared.table.renew(found, newEpoch()))
    else {
      if (found.last.offset < last.offset) this.#undo(found.last.offset)
      this.#log = found
      if (!this.#settles) this.#ready = found.last
    }
  }

  #adopt(log: Log): void {
    this.#log = log
    this.#ready = log.last
    this.#oldest = undefined
    this.#bound = undefined
    this.#first = 1
    this.#standing.clear()
    this.trim()
    // Whoever waits has lost something, and has to hear of it.
    if (this.#waiting.size > 0) this.#settle()
  }

  #undo(last: number): void {
    for (let offset = last + 1; offset <= this.last; offset++) this.#shared.cache.delete(idAt(this, offset))
    for (const reader of this.#standing) reader.rewind(last)
  }

  /** Lets readers have what was published, when this turn is over. */
  #settle(): void {
    if (this.#settles) return
    this.#settles = true
    queueMicrotask(() => {
      this.#settles = false
      try {
        this.#compare(this.#shared.table.find(this.#name))
        this.#standing.clear()
        this.trim()
      } catch (error) {
        this.#adopt(NOWHERE)
        for (const reader of this.#waiting) reader.fail(error)
      }
      for (const reader of this.#waiting) reader.wake()
      this.#delete()
    })
  }

  /** Works out which event is the oldest one to be seen. */
  trim(): void {
    const { offset: last, before, size } = this.#ready
    if (last === 0) return
    const { table } = this.#shared
    const { retain, bytes, age } = this.retention
    const since = Date.now() - age
    // All of these go in order: if an event is gone, so are the ones before it.
    const isGone = (mark: Mark): boolean =>
      mark.at < since || mark.offset <= last - retain || (mark.before < before + size - bytes && mark.offset < last)
    this.#oldest ??= table.oldest(this.#log)
    this.#bound ??= this.#oldest
    if (!this.#bound) return
    if (!isGone(this.#bound)) {
      this.#first = this.#bound.offset
      return
    }
    let gone = Math.max(this.#bound.offset, last - retain)
    let end = last + 1
    let kept: Mark | undefined
    // In longer and longer steps, then by halves: as a rule it is the next one.
    for (let step = 1; gone + 1 < end; step *= 2) {
      const offset = kept ? Math.floor((gone + end) / 2) : Math.min(gone + step, last)
      const mark = table.mark(this.#log, offset)
      if (mark && !isGone(mark)) {
        kept = mark
        end = offset
      } else gone = offset
    }
    this.#first = end
    this.#bound = kept ?? this.#ready
  }

  /** Deletes what nobody sees any more, if it has become much; never the last event, which says how far the log has come. */
  #delete(): void {
    const { table } = this.#shared
    const [oldest, bound] = [this.#oldest, this.#bound]
    if (!oldest || !bound) return
    if (bound.offset - oldest.offset < IDLE && bound.before - oldest.before < IDLE_BYTES) return
    const offset = Math.min(bound.offset, oldest.offset + DELETED)
    try {
      table.delete(this.#log, offset)
      this.#oldest = offset === bound.offset ? bound : table.mark(this.#log, offset)
    } catch {
      // It takes room and no more. The next publish tries it again, and says what is wrong if it cannot write either.
    }
  }
}
