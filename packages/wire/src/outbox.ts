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

const turn = Promise.resolve()

/** Waits for the quiet: for an end that answers calls and sends streams. */
export const createOutbox: OutboxFactory = (send) => {
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
  const wait = async () => {
    waiting = true
    for (let seen = -1; seen !== count; ) {
      seen = count
      for (let turns = QUIET_TURNS; turns--; ) await turn
    }
    waiting = false
    flush()
  }
  return {
    flush,
    push(message, bytes) {
      text = count++ ? `${text},${message}` : message
      if (bytes?.length) flush(bytes)
      else if (text.length > FLUSH_AT || count >= MAX_BATCH) flush()
      else if (!waiting) wait()
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
