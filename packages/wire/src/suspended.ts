import { RpcError } from '@pairwire/contract'
import type { Publishing } from './publishing.ts'

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
export const suspend = ({ record, unread, unasked, deadline, stream }: Publishing): Suspended => ({
  call: record!.message,
  bytes: record!.bytes,
  cursor: record!.cursor,
  unread,
  unasked,
  deadline,
  untracked: record!.untracked,
  busy: !!stream && !stream.idle(),
})

/** Why a subscription cannot go on where it stood. */
export const lostAsleep = (from: Suspended, path: string, window: number): RpcError | undefined => {
  if (from.deadline && from.deadline <= Date.now())
    return new RpcError('DEADLINE_EXCEEDED', `"${path}" ran out of time`, { executed: 'unknown' })
  if (from.busy)
    return new RpcError('UNAVAILABLE', `"${path}" slept before it had read what its stream brought`, { executed: 'no' })
  // What its handler may have had ready for a reader who was slow is gone; `executed: 'no'` says that it may be called again.
  if (from.cursor === undefined && from.untracked && from.unread >= window)
    return new RpcError('DATA_LOSS', `"${path}" slept before all of its events could be sent`, { executed: 'no' })
  return undefined
}
