/** Past this many characters a frame leaves at once, so that both ends work at the same time. */
const EARLY = 2_048
/** Those that follow it without a pause may each have twice as many, up to so many: who sends a lot does so in few frames. */
const LATE = 32_768
const MAX_BATCH = 500
/** A frame leaves when this many turns of the microtask queue added nothing: an async generator takes a few per event. */
const QUIET_TURNS = 12

/** Gathers the messages of one tick into one frame. */
export interface Outbox {
  /** Adds a message. One with bytes ends its frame, since a frame's bytes belong to its last message. */
  push(message: string, bytes?: readonly Uint8Array[]): void
  /** Sends what has gathered, now. */
  flush(bytes?: readonly Uint8Array[]): void
  /** What is added from now on need not be waited for, as `release` will be called in the same turn. */
  hold?(): void
  /** @param isAll nothing is to come: what has gathered leaves. Else it waits for more. */
  release?(isAll: boolean): void
}

/** One that can be held. */
export type HeldOutbox = Required<Outbox>

/** Makes an outbox over a way to send a frame: its text, and the bytes of its last message. */
export type OutboxFactory = (send: (text: string, bytes?: readonly Uint8Array[]) => void) => Outbox

/** Who waits for quiet. */
export interface Waiting {
  /** It is quiet. */
  leave(): void
}

/** Turns of waiting after which frames leave all the same: one who goes on and on does not hold up the others. */
const PATIENCE = 2_000

const turn = Promise.resolve()

/** Waits until nothing more is added, on behalf of as many outboxes as there are: of thousands each would wait by itself. */
export interface Quiet {
  /** Something was added here: tells it once it is quiet. */
  wait(waiting: Waiting): void
}

/** @param later calls a function when the queue of microtasks is empty, where a platform has that: as Node's `process.nextTick` */
export const createQuiet = (later?: ((call: () => void) => void) | undefined): Quiet => {
  let all = new Set<Waiting>()
  let stirs = 0
  let waits = false
  const watch = async () => {
    for (let seen = -1, left = PATIENCE; seen !== stirs && left > 0; ) {
      seen = stirs
      for (let turns = QUIET_TURNS; turns--; left--) await turn
    }
    leave()
  }
  const leave = () => {
    waits = false
    const ready = all
    all = new Set()
    for (const waiting of ready) waiting.leave()
  }
  return {
    wait(waiting) {
      stirs++
      all.add(waiting)
      if (waits) return
      waits = true
      if (later) later(leave)
      else watch()
    },
  }
}

/** A class, since a server has one for each socket. */
class QuietOutbox implements HeldOutbox, Waiting {
  #text = ''
  #count = 0
  /** How long the next frame may become. */
  #most = EARLY
  #isHeld = false
  readonly #send: Parameters<OutboxFactory>[0]
  readonly #quiet: Quiet

  constructor(send: Parameters<OutboxFactory>[0], quiet: Quiet) {
    this.#send = send
    this.#quiet = quiet
  }

  push(message: string, bytes?: readonly Uint8Array[]): void {
    this.#text = this.#count++ ? `${this.#text},${message}` : message
    if (bytes?.length) this.flush(bytes)
    else if (this.#text.length > this.#most || this.#count >= MAX_BATCH) {
      this.flush()
      if (this.#most < LATE) this.#most *= 2
    } else if (!this.#isHeld) this.#quiet.wait(this)
  }

  flush(bytes?: readonly Uint8Array[]): void {
    if (!this.#count) return
    const frame = this.#count > 1 ? `[${this.#text}]` : this.#text
    this.#text = ''
    this.#count = 0
    this.#send(frame, bytes)
  }

  leave(): void {
    this.#most = EARLY
    this.flush()
  }

  hold(): void {
    this.#isHeld = true
  }

  release(isAll: boolean): void {
    this.#isHeld = false
    if (isAll) this.flush()
    else if (this.#count) this.#quiet.wait(this)
  }
}

/** Waits for the quiet: for an end that answers calls and sends streams. */
export const createOutbox = (send: Parameters<OutboxFactory>[0], quiet: Quiet = createQuiet()): HeldOutbox =>
  new QuietOutbox(send, quiet)

/** Sends at the end of the turn: enough for an end that only makes calls, and small. */
export const createTickOutbox: OutboxFactory = (send) => {
  let text = ''
  const flush = () => {
    if (text) send(`[${text}]`)
    text = ''
  }
  return {
    flush,
    push(message) {
      if (text) text += `,${message}`
      else {
        text = message
        turn.then(flush)
      }
      if (text.length > EARLY) flush()
    },
    release: flush,
  }
}
