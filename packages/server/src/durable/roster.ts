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

/** Who is shown, as the connections say: never counted, so that nothing that was missed can make it wrong. */
export class Roster<M extends Member> {
  readonly #connections: Connections
  readonly #describe: (identity: unknown) => M | undefined
  readonly #codec: Codec
  /** What each connection was shown as, for the identity it had. */
  readonly #known = new WeakMap<Connection, { readonly identity: unknown; readonly shown: Shown<M> | undefined }>()
  readonly #set = new SetFingerprint()
  #members: ReadonlyMap<string, Shown<M>> = new Map()

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
    const before = this.#members
    const now = new Map<string, Shown<M>>()
    for (const connection of this.#connections) {
      const shown = this.show(connection)
      // Of several connections the first one says how somebody is shown.
      if (shown && !now.has(shown.member.id)) now.set(shown.member.id, shown)
    }
    this.#members = now
    for (const [id, { member, print }] of before) {
      if (now.has(id)) continue
      this.#set.delete(print)
      tell({ type: 'leave', member })
    }
    for (const [id, { member, print }] of now) {
      const old = before.get(id)
      if (old?.print.text === print.text) continue
      if (old) this.#set.delete(old.print)
      this.#set.add(print)
      tell({ type: old ? 'update' : 'join', member })
    }
  }

  /** As what a connection is shown, if it is. */
  show(connection: Connection): Shown<M> | undefined {
    const { identity } = connection
    const known = this.#known.get(connection)
    if (known && known.identity === identity) return known.shown
    let shown: Shown<M> | undefined
    try {
      const member = this.#describe(identity)
      if (member !== undefined) {
        if (typeof member?.id !== 'string')
          throw new TypeError('describe has to return { id } with a string, or undefined')
        shown = { member, print: fingerprint(this.#codec.encode(member)) }
      }
    } catch (error) {
      // One bad identity must not hide all others.
      mask(error, 'presence', 'subscription', this.#connections.onError)
    }
    this.#known.set(connection, { identity, shown })
    return shown
  }
}
