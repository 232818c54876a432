/** Past this many characters a frame leaves at once, so that both ends work at the same time. */
const FLUSH_AT = 4_096
const MAX_BATCH = 500
/** A frame leaves when this many turns of the microtask queue added nothing: an async generator takes a few per event. */
const QUIET_TURNS = 12

/** Gathers the messages of one tick into one frame. */
export interface Outbox {
  /** Adds a message. One with bytes ends its frame, since a frame's bytes belong to its last message. */
  push(message: string, bytes?: readonly Uint8Array[]): void
  /** Sends what has gathered, now. */
  flush(bytes?: readonly Uint8Array[]): void
}

/** Makes an outbox over a way to send a frame: its text, and the bytes of its last message. */
export type OutboxFactory = (send: (text: string, bytes?: readonly Uint8Array[]) => void) => Outbox

/** Turns of waiting after which frames leave all the same: one who goes on and on does not hold up the others. */
const PATIENCE = 2_000

const turn = Promise.resolve()

/** Waits until nothing more is added, on behalf of as many outboxes as there are: of thousands each would wait by itself. */
export interface Quiet {
  /** Calls it once it is quiet. */
  wait(flush: () => void): void
  /** Something was added. */
  stir(): void
}

/** @param later calls a function when the queue of microtasks is empty, where a platform has that: as Node's `process.nextTick` */
export const createQuiet = (later?: ((call: () => void) => void) | undefined): Quiet => {
  let flushes: (() => void)[] = []
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
    const ready = flushes
    flushes = []
    for (const flush of ready) flush()
  }
  return {
    stir() {
      stirs++
    },
    wait(flush) {
      flushes.push(flush)
      if (waits) return
      waits = true
      if (later) later(leave)
      else watch()
    },
  }
}

/** Waits for the quiet: for an end that answers calls and sends streams. */
export const createOutbox = (send: Parameters<OutboxFactory>[0], quiet: Quiet = createQuiet()): Outbox => {
  let text = ''
  let count = 0
  let waiting = false
  const flush = (bytes?: readonly Uint8Array[]) => {
    if (!count) return
    const frame = count > 1 ? `[${text}]` : text
    text = ''
    count = 0
    send(frame, bytes)
  }
  const leave = () => {
    waiting = false
    flush()
  }
  return {
    flush,
    push(message, bytes) {
      text = count++ ? `${text},${message}` : message
      quiet.stir()
      if (bytes?.length) flush(bytes)
      else if (text.length > FLUSH_AT || count >= MAX_BATCH) flush()
      else if (!waiting) {
        waiting = true
        quiet.wait(leave)
      }
    },
  }
}

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
      if (text.length > FLUSH_AT) flush()
    },
  }
}
