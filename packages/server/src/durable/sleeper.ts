import {
  createRichCodec,
  type Encoded,
  type Line,
  type Publishing,
  type Recorder,
  type RichTypes,
} from '@pairwire/wire'
import type { Sleeping } from '../host.ts'
import type { Session } from '../session.ts'
import type { SessionStore } from '../sessions.ts'
import type { Keeper, KeeperHost } from './keeper.ts'
import { placesOf } from './places.ts'

/** Turns of the microtask queue in which a handler that has something to go on with goes on. */
const QUIET_TURNS = 24

/** Sees to it that all that an object knows of its sockets is written down before it may sleep. */
export class Sleeper implements Sleeping, KeeperHost {
  readonly sessions: SessionStore
  readonly sockets: Map<Line, Keeper> = new Map()
  readonly seenEvery: number
  readonly #ctx: DurableObjectState
  readonly #codec: ReturnType<typeof createRichCodec>
  readonly #touched = new Set<Keeper>()
  /** Writes down again what has changed of sessions without a socket. */
  readonly #rewrite: () => void
  readonly #changed: () => void
  readonly #failed: (error: unknown) => void
  #waits = false
  /** Of something going on. */
  #signs = 0
  /** What the event in hand has to be waited for. */
  #work: PromiseLike<unknown>[] | undefined

  constructor(
    ctx: DurableObjectState,
    sessions: SessionStore,
    { depth, types, seenEvery }: { depth: number; types: RichTypes; seenEvery: number },
    { rewrite, changed, failed }: { rewrite(): void; changed(): void; failed(error: unknown): void },
  ) {
    this.#ctx = ctx
    this.sessions = sessions
    this.seenEvery = seenEvery
    this.#codec = createRichCodec(depth, types)
    this.#rewrite = rewrite
    this.#changed = changed
    this.#failed = failed
  }

  readonly sleep: Sleeping['sleep'] = {
    recorder: this.#recorder(),
    pin: (work, session) => {
      if (this.#work) this.#work.push(work)
      else this.#ctx.waitUntil(Promise.resolve(work))
      this.#touchSession(session)
      work.then(() => this.#touchSession(session))
    },
    identified: (session: Session) => {
      for (const keeper of this.sockets.values()) {
        if (keeper.session !== session) continue
        keeper.identified()
        this.touch(keeper)
      }
      this.#changed()
    },
  }

  /** Handles one event. A promise where the platform has to wait, or what runs would be lost. */
  during(event: () => void): Promise<void> | undefined {
    const work: PromiseLike<unknown>[] = []
    this.#work = work
    try {
      event()
    } finally {
      this.#work = undefined
    }
    return work.length ? Promise.all(work).then(() => {}) : undefined
  }

  keeperOf(line: Line): Keeper | undefined {
    return this.sockets.get(line)
  }

  encode(identity: unknown): Encoded {
    return this.#codec.encode(identity)
  }

  decode({ json, marks }: Encoded, bytes: Uint8Array | undefined): unknown {
    return this.#codec.decode(json ? JSON.parse(json) : undefined, marks && JSON.parse(marks), bytes)
  }

  touch(keeper: Keeper): void {
    this.#touched.add(keeper)
    this.#settleSoon()
  }

  changed(): void {
    this.#changed()
  }

  failed(keeper: Keeper, error: unknown): void {
    this.#failed(error)
    // What cannot be written down would be lost without a word: the client comes back with what it knows.
    keeper.peer?.close(STATE_LOST, 'the object could not write down what it knows of this connection')
  }

  /** What runs for it has changed. Without a socket it is written down by the store. */
  #touchSession(session: Session | undefined): void {
    const keeper = session?.socket && this.sockets.get(session.socket.line)
    if (keeper) this.touch(keeper)
    else this.#settleSoon()
  }

  #recorder(): Recorder {
    return {
      changed: (call: Publishing) => call.line && this.sockets.get(call.line)?.changed(call),
      signal: (call: Publishing, signal: AbortSignal) => {
        const keeper = call.line && this.sockets.get(call.line)
        if (keeper) placesOf.set(signal, keeper.calls.placesOf(call))
      },
    }
  }

  /**
   * Saves once nothing goes on any more: that is in this turn of the event loop, in which nothing can come between. What a
   * frame told a client has not been written down when it leaves; but if the process ends in its turn, so do its sockets.
   */
  async #settleSoon(): Promise<void> {
    this.#signs++
    if (this.#waits) return
    this.#waits = true
    for (let seen = 0; seen !== this.#signs; ) {
      seen = this.#signs
      for (let turns = QUIET_TURNS; turns--; ) await undefined
    }
    this.#waits = false
    const touched = [...this.#touched]
    this.#touched.clear()
    for (const keeper of touched) keeper.save()
    try {
      this.#rewrite()
    } catch (error) {
      this.#failed(error)
    }
  }
}

/** Close code: reconnect now. See docs/PROTOCOL.md, 11. */
export const STATE_LOST = 4202
