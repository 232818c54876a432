import type { Answering } from './answering.ts'

/**
 * What is kept of a running subscription where the process may end and the socket stay, as in a Durable Object that
 * hibernates: with it the handler is started again where it stood, and the caller need not know.
 */
export interface Suspended {
  /** The message that made the call, as JSON, with its bytes. */
  readonly call: string
  readonly bytes?: Uint8Array | undefined
  /** The id of the last event that was sent with one. */
  readonly cursor?: string | undefined
  /** Bytes of events that were sent and are not known to be read, and how many of those were not asked about. */
  readonly unread: number
  readonly unasked: number
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined
  /** Whether events without an id were sent: a handler that starts again may send them again. */
  readonly untracked: boolean
  /** Whether something of the caller's input stream had come that the handler was not done with. */
  readonly busy: boolean
}

/** What is to be kept of a subscription now. */
export const suspend = (call: Answering): Suspended => ({
  call: call.message!,
  bytes: call.bytes,
  cursor: call.cursor,
  unread: (call.sender ?? call.before)?.unread ?? 0,
  unasked: (call.sender ?? call.before)?.unasked ?? 0,
  deadline: call.deadline,
  untracked: call.untracked,
  busy: !!call.stream && !call.stream.idle(),
})
