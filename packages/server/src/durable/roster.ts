import { mask } from '@pairwire/router'
import { type Codec, createRichCodec, LIMITS, richTypes } from '@pairwire/wire'
import type { PresenceEvent } from '../presence-event.ts'
import type { Connection, Connections } from './connections.ts'
import { type Fingerprint, fingerprint, SetFingerprint } from './fingerprint.ts'

/** Whoever is shown has a name of their own. */
export interface Member {
  readonly id: string
}

/** A member, and what stands for it. */
export interface Shown<M> {
  readonly member: M
  readonly print: Fingerprint
}

/** A connection, as it was found last. */
interface Row<M> {
  readonly identity: unknown
  readonly shown: Shown<M> | undefined
  /** When that was. */
  look: number
}

/** Who is shown, as the connections say: never counted, so that nothing that was missed can make it wrong. */
export class Roster<M extends Member> {
  readonly #connections: Connections
  readonly #describe: (identity: unknown) => M | undefined
  readonly #codec: Codec
  readonly #known = new WeakMap<Connection, Row<M>>()
  /** Those that are shown. */
  #rows: readonly Row<M>[] = []
  #looks = 0
  readonly #set = new SetFingerprint()
  readonly #members = new Map<string, Shown<M>>()

  constructor(connections: Connections, describe: (identity: unknown) => M | undefined) {
    this.#connections = connections
    this.#describe = describe
    this.#codec = createRichCodec(LIMITS.depth, connections.types ?? richTypes)
  }

  /** Stands for who is shown. */
  get id(): string {
    return `${this.#set}`
  }

  /** What stands for who is shown now, whoever comes or goes later. */
  get set(): SetFingerprint {
    return this.#set.copy()
  }

  has(id: string): boolean {
    return this.#members.has(id)
  }

  get size(): number {
    return this.#members.size
  }

  list(): M[] {
    return Array.from(this.#members.values(), ({ member }) => member)
  }

  /** Looks who is there now. `tell` hears of each difference, when `id` is that of the set with it. */
  update(tell: (event: PresenceEvent<M>) => void): void {
    const look = ++this.#looks
    /** Ids of those of whom a connection has come, gone, or another identity. */
    const touched = new Set<string>()
    const rows: Row<M>[] = []
    for (const connection of this.#connections) {
      const { identity } = connection
      let row = this.#known.get(connection)
      if (!row || row.identity !== identity) {
        row = { identity, shown: this.show(connection), look }
        this.#known.set(connection, row)
        if (row.shown) touched.add(row.shown.member.id)
      }
      row.look = look
      if (row.shown) rows.push(row)
    }
    for (const row of this.#rows) if (row.look !== look) touched.add(row.shown!.member.id)
    this.#rows = rows
    // Only they can be different now: the others are not gone through by their names, which is what would take long.
    if (touched.size) this.#compare(touched, tell)
  }

  #compare(touched: ReadonlySet<string>, tell: (event: PresenceEvent<M>) => void): void {
    const now = new Map<string, Shown<M>>()
    for (const { shown } of this.#rows) {
      const { id } = shown!.member
      // Of several connections the first one says how somebody is shown.
      if (touched.has(id) && !now.has(id)) now.set(id, shown!)
    }
    for (const id of touched) {
      const old = this.#members.get(id)
      if (!old || now.has(id)) continue
      this.#members.delete(id)
      this.#set.delete(old.print)
      tell({ type: 'leave', member: old.member })
    }
    for (const [id, shown] of now) {
      const old = this.#members.get(id)
      if (old?.print.text === shown.print.text) continue
      this.#members.set(id, shown)
      if (old) this.#set.delete(old.print)
      this.#set.add(shown.print)
      tell({ type: old ? 'update' : 'join', member: shown.member })
    }
  }

  /** As what a connection is shown, if it is. */
  show(connection: Connection): Shown<M> | undefined {
    try {
      const member = this.#describe(connection.identity)
      if (member !== undefined) {
        if (typeof member?.id !== 'string')
          throw new TypeError('describe has to return { id } with a string, or undefined')
        return { member, print: fingerprint(this.#codec.encode(member)) }
      }
    } catch (error) {
      // One bad identity must not hide all others.
      mask(error, 'presence', 'subscription', this.#connections.onError)
    }
    return undefined
  }
}
