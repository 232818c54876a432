import { createDeadlines } from '@pairwire/wire'
import type { KeptResults } from './results.ts'
import { type KeptSession, Session, type SessionHello, type SessionOptions, type SessionOwner } from './session.ts'

/** The sessions of one server. */
export interface Sessions {
  /** How many there are, with and without a socket. */
  readonly size: number
  [Symbol.iterator](): Iterator<Session>
  /**
   * The session that a `hello` asks for, if it is still there and the same user's; else a new one. Undefined where a socket
   * that came after this one has taken it.
   */
  enter(hello: SessionHello, order: number): Session | undefined
  /** The session of a socket that was there before this process: one for all its sockets, and with what was kept of it. */
  restore(hello: SessionHello, kept: KeptSession | undefined): Session
  /** Its last socket is gone: it is kept for a while. `left`: the client said that it will not come back. */
  leave(session: Session, left: boolean): void
  /** Writes down again what has changed of those that have no socket. */
  rewrite(): void
  /** Ends all of them. */
  clear(): void
}

export interface Keeping {
  /** Milliseconds that a session without a socket is kept. */
  readonly grace: number
  /** How many of those, at most; beyond it the one that lost its socket first ends. */
  readonly sessions: number
  /** Bytes of results that are kept for all, at most; likewise. */
  readonly bytes: number
}

/** Where sessions that have no socket are written down, if the process may end before they do. */
export interface SessionStore {
  /** Writes one down, or over what was written before. @param deadline milliseconds since the epoch */
  put(key: string, session: Session, deadline: number): void
  /** Gives back what was written, and keeps it no longer. */
  take(key: string): (KeptSession & { readonly results: KeptResults }) | undefined
}

export const createSessions = (
  options: SessionOptions,
  { grace, sessions: most, bytes: mostBytes }: Keeping,
  store?: SessionStore,
): Sessions => {
  /** By user, codec and id: whoever says the id of somebody else's session finds none, and disturbs none. One without an id by itself. */
  const all = new Map<string | Session, Session>()
  /** Without a socket, the one that lost it first before the others. */
  const lost = new Set<Session>()
  /** Of results, of all sessions. */
  let bytes = 0
  const deadlines = createDeadlines()
  /** Of those that were written down, as they were then. */
  const versions = new WeakMap<Session, string>()

  const write = (session: Session) => {
    versions.set(session, session.version)
    store?.put(keyOf(session.hello), session, session.deadline!)
  }
  const forget = (session: Session) => {
    lost.delete(session)
    deadlines.delete(session)
  }
  const trim = () => {
    for (const oldest of lost) {
      if (lost.size <= most && bytes <= mostBytes) break
      oldest.end()
    }
  }
  const keyOf = ({ owner, codec, id }: SessionHello) => JSON.stringify([owner, codec.name, id])
  const find = (hello: SessionHello) => (hello.id ? all.get(keyOf(hello)) : undefined)
  const owner: SessionOwner = {
    weigh(change) {
      bytes += change
      if (change > 0) trim()
    },
    ended(session) {
      const key = session.hello.id ? keyOf(session.hello) : session
      const isWritten = lost.has(session)
      forget(session)
      if (all.get(key) === session) all.delete(key)
      if (isWritten) store?.take(keyOf(session.hello))
    },
  }
  const make = (hello: SessionHello, from: Session | KeptSession | undefined) => {
    const session = new Session(options, hello, owner, from)
    all.set(hello.id ? keyOf(hello) : session, session)
    return session
  }

  return {
    get size() {
      return all.size
    },
    [Symbol.iterator]: () => all.values(),
    enter(hello, order) {
      const known = find(hello)
      // A Worker may have cancelled the timer along with the request that set it.
      for (const overdue of lost) {
        if (overdue.deadline! > Date.now() || overdue === known) break
        overdue.end()
      }
      if (known?.isPast(order)) return undefined
      const kept = hello.id && (!known || lost.has(known)) ? store?.take(keyOf(hello)) : undefined
      if (known) {
        forget(known)
        if (known.isReachable) return known
        known.abandon()
      }
      return make(hello, known ?? kept)
    },
    restore: (hello, kept) => find(hello) ?? make(hello, kept),
    leave(session, left) {
      if (session.dead) return
      if (left || !session.results || grace <= 0) return session.end()
      // In steps, so that many that were lost together end together.
      const step = Math.max(1, grace / 16)
      session.deadline = Math.ceil((Date.now() + grace) / step) * step
      lost.add(session)
      write(session)
      // What runs keeps the process; else no timer should.
      if (!store || session.pending.size) deadlines.add(session)
      trim()
    },
    rewrite() {
      for (const session of lost) {
        if (session.version === versions.get(session)) continue
        write(session)
        if (!session.pending.size) deadlines.delete(session)
      }
    },
    clear() {
      for (const session of all.values()) session.end(true)
    },
  }
}
