import type { Encoded, Line, Publishing } from '@pairwire/wire'
import type { Asked } from '../results.ts'
import type { KeptSession, Session, SessionHello, SessionSocket } from '../session.ts'
import type { ClosableSocket, KeptSocket, SocketKeeper } from '../socket-keeper.ts'
import { CallShelf } from './call-shelf.ts'
import type { HibernatingSocket } from './hibernating-socket.ts'
import type { Piece, Shelf } from './shelf.ts'
import { keepResults, type WrittenResults } from './written-results.ts'

/** What all keepers of one object share. */
export interface KeeperHost {
  /** Has it saved once all is quiet. */
  touch(keeper: Keeper): void
  /** The keeper of the socket that this line is of. */
  keeperOf(line: Line): Keeper | undefined
  readonly sockets: Map<Line, Keeper>
  encode(identity: unknown): Encoded
  /** A client has come, or gone. */
  changed(): void
  failed(keeper: Keeper, error: unknown): void
  /** Milliseconds between two times that it is written down when a socket was last heard of. */
  readonly seenEvery: number
}

/** How a welcomed socket is written down; with the bytes of its identity, if that has some. */
export interface Head {
  readonly at: number
  readonly order?: number
  readonly hello?: Omit<SessionHello, 'codec'> & {
    readonly codec: 'rich' | 'json'
    readonly window: number | undefined
    readonly identity: { readonly json: string; readonly marks?: string | undefined }
  }
}

/** A session as its latest socket has it, with a piece `r` and the call's id for each result. */
interface WrittenSession extends WrittenResults {
  readonly lastCallId: number
  /** Mutations whose handlers run. */
  readonly pending: readonly number[]
  /** Results that were not sent on this socket. */
  readonly elsewhere: readonly number[]
}

/** Writes down one socket of an object that may sleep, and reads it again. */
export class Keeper implements SocketKeeper {
  readonly socket: HibernatingSocket
  readonly calls: CallShelf
  readonly at: number
  /** When something came last, in milliseconds since the epoch. */
  seen: number
  peer: ClosableSocket | undefined
  session: Session | undefined
  isOff = false
  /** Whether it was lost while the object slept, and is only there to leave. */
  isMissed = false
  #greeted = false
  readonly shelf: Shelf
  readonly #host: KeeperHost
  #mine: SessionSocket | undefined
  #seen = 0
  #leaving = false
  #lastCallId = 0
  #asked: Asked | undefined
  #version: string | undefined
  readonly #results = new Set<number>()
  #closed = false
  #restored = false
  #window: number | undefined

  constructor(host: KeeperHost, shelf: Shelf, socket: HibernatingSocket, at: number) {
    this.#host = host
    this.shelf = shelf
    this.socket = socket
    this.calls = new CallShelf(shelf, (call) => this.changed(call))
    this.at = at
    this.seen = at
  }

  /** Whether it has said hello. */
  get isGreeted(): boolean {
    return this.#greeted
  }

  get line(): Line | undefined {
    return this.#mine?.line
  }

  attached(peer: ClosableSocket): void {
    this.peer = peer
  }

  /** Writes down that there is a socket. @param from where it came from, as JSON */
  opened(from: string): void {
    this.shelf.set('ho', { text: from })
    this.#setHead({ at: this.at })
    this.shelf.save()
  }

  greeted(): void {
    this.#greeted = true
    this.shelf.set('w', { text: '' })
    this.shelf.save()
  }

  welcomed(session: Session, socket: SessionSocket, window: number | undefined): void {
    this.#greeted = true
    this.session = session
    this.#mine = socket
    this.#window = window
    this.#host.sockets.set(socket.line, this)
    if (!this.#restored) this.identified()
    this.#host.touch(this)
    this.#host.changed()
  }

  /** It has been found out, perhaps again, whose it is. */
  identified(): void {
    const { hello, identity } = this.session!
    const { id, owner, codec, timeout } = hello
    let encoded: Encoded
    try {
      encoded = this.#host.encode(identity)
    } catch (cause) {
      const message = 'what authenticate returned cannot be written down: return a plain value, without functions'
      this.#host.failed(this, new TypeError(message, { cause }))
      return
    }
    const { json, marks, bytes } = encoded
    this.shelf.set('w', undefined)
    this.#setHead(
      {
        at: this.at,
        order: this.#mine!.order,
        hello: { id, owner, codec: codec.name, timeout, window: this.#window, identity: { json, marks } },
      },
      bytes && join(bytes),
    )
  }

  heard(): void {
    this.seen = Date.now()
    // What it brings may end at once, such as a mutation, and changes the session without a word.
    this.#host.touch(this)
  }

  changed(call: Publishing): void {
    this.calls.changed(call)
    this.#host.touch(this)
  }

  save(): void {
    if (this.#closed) return
    try {
      this.calls.save()
      this.#saveFlags()
      const { session } = this
      if (session) this.#saveAsked(session)
      const latest = session?.socket && this.#host.keeperOf(session.socket.line)
      if (session && latest && latest !== this) {
        this.#dropSession()
        latest.#saveSession(session)
        latest.shelf.save()
      } else if (session) this.#saveSession(session)
      this.shelf.save()
    } catch (error) {
      this.#host.failed(this, error)
    }
  }

  closed(): void {
    this.#closed = true
    if (this.line) this.#host.sockets.delete(this.line)
    try {
      this.shelf.clear()
    } catch (error) {
      this.#host.failed(this, error)
    }
    const left = this.session?.socket
    const heir = left && this.#host.keeperOf(left.line)
    if (heir) this.#host.touch(heir)
    this.#host.changed()
  }

  #setHead(head: Head, bytes?: Uint8Array): void {
    this.shelf.set('h', { text: JSON.stringify(head), bytes })
  }

  #saveFlags(): void {
    const leaving = this.#mine?.leaving ?? false
    // With a session it is the session's.
    const lastCallId = this.session?.results ? 0 : (this.session?.lastCallId ?? 0)
    const isSame = leaving === this.#leaving && lastCallId === this.#lastCallId
    if (isSame && this.seen - this.#seen <= this.#host.seenEvery) return
    this.#leaving = leaving
    this.#lastCallId = lastCallId
    this.#seen = this.seen
    this.shelf.set('f', { text: JSON.stringify([this.seen, leaving, lastCallId]) })
  }

  /** What the client has been asked, and has not answered. */
  #saveAsked({ results }: Session): void {
    const asked = results?.asked(this.line!)
    if (asked === this.#asked) return
    this.#asked = asked
    this.shelf.set('p', asked && { text: JSON.stringify([asked.resumed, asked.before, ...asked.ids]) })
  }

  #saveSession(session: Session): void {
    const { results, version, pending, lastCallId } = session
    if (!results || version === this.#version) return
    this.#version = version
    const { kept } = results
    const elsewhere: number[] = []
    for (const [id, { answer, line }] of kept) {
      if (line !== this.line) elsewhere.push(id)
      if (this.#results.has(id)) continue
      this.#results.add(id)
      this.shelf.set(`r${id}`, { text: answer.text, bytes: answer.bytes?.length ? join(answer.bytes) : undefined })
    }
    if (this.#results.size > kept.size)
      for (const id of this.#results) {
        if (kept.has(id)) continue
        this.#results.delete(id)
        this.shelf.set(`r${id}`, undefined)
      }
    const { epoch, forgotten, lost } = results
    const written: WrittenSession = { epoch, forgotten, lost: [...lost], pending: [...pending], lastCallId, elsewhere }
    this.shelf.set('s', { text: JSON.stringify(written) })
  }

  /** Another socket has the session now. */
  #dropSession(): void {
    if (this.#version === undefined) return
    this.#version = undefined
    this.shelf.set('s', undefined)
    for (const id of this.#results) this.shelf.set(`r${id}`, undefined)
    this.#results.clear()
  }

  /** Takes note of what is there already, so that only what changes is written. */
  #resumed(written: WrittenSession | undefined, session: Session, results: Iterable<number>, flags: Flags): void {
    this.#seen = flags.seen
    this.seen = flags.seen
    this.#leaving = flags.leaving
    if (!written) return
    for (const id of results) this.#results.add(id)
    // What ran then is lost by now, and is to be told once.
    this.#version = written.pending.length ? '' : session.version
  }

  /** What an earlier process has written down of this socket; undefined where it had not been welcomed. */
  read(
    { hello, order }: Head,
    pieces: ReadonlyMap<string, Piece>,
    codecs: Readonly<Record<'rich' | 'json', SessionHello['codec']>>,
    refuse: (id: number, line: Line) => void,
  ): { kept: KeptSocket; identity: Encoded & { joined: Uint8Array | undefined } } | undefined {
    if (!hello) return undefined
    this.#restored = true
    const written = pieces.has('s') ? (JSON.parse(pieces.get('s')!.text) as WrittenSession) : undefined
    const [seen, leaving, lastCallId] = JSON.parse(pieces.get('f')?.text ?? '[0,false,0]') as [number, boolean, number]
    this.#lastCallId = lastCallId
    const [resumed, before, ...ids] = JSON.parse(pieces.get('p')?.text ?? '[false,0]') as [boolean, ...number[]]
    const results: [number, Piece][] = []
    for (const [name, piece] of pieces) if (name[0] === 'r') results.push([Number(name.slice(1)), piece])
    let session: KeptSession | undefined = lastCallId ? { lastCallId, results: undefined } : undefined
    if (written) {
      // What ran when this was written has not ended, or it would have been written again.
      const lost = [...written.lost, ...written.pending]
      session = { lastCallId: written.lastCallId, results: keepResults({ ...written, lost }, results) }
    }
    const { id, owner, timeout, window, codec, identity } = hello
    const { json, marks } = identity
    return {
      identity: { json, ...(marks !== undefined && { marks }), joined: pieces.get('h')!.bytes },
      kept: {
        order: order!,
        leaving,
        hello: { id, owner, timeout, codec: codecs[codec] },
        window,
        session,
        resume: (session, line) => {
          if (pieces.has('p')) {
            this.#asked = { resumed, before: before!, ids: new Set(ids) }
            session.results?.await(line, this.#asked)
          }
          if (written) {
            session.results?.adopt(line, new Set(written.elsewhere))
            for (const id of written.pending) refuse(id, line)
          }
          this.#resumed(
            written,
            session,
            results.map(([id]) => id),
            { seen, leaving },
          )
          this.calls.restore(pieces, (id, suspended, began) => session.answers.resume(id, suspended, line, began))
        },
      },
    }
  }
}

interface Flags {
  readonly seen: number
  readonly leaving: boolean
}

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  if (parts.length === 1) return parts[0]!
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
