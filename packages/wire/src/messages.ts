/** The subprotocol both ends name in the WebSocket handshake: pairwire's wire, version 1. */
export const SUBPROTOCOL = 'pairwire.1'
/** The version number inside `hello`. */
export const VERSION = 1

// One number per message. docs/PROTOCOL.md is the normative text; "connector" opened the socket, "acceptor" took it.
// Calls and results have a short form, for ends that read it: ["path", id, …] and [id, …] with an id above LAST_OP.
export const HELLO = 0 // connector → acceptor   [0, version, session, options?, marks?]
export const WELCOME = 1 // acceptor → connector   [1, {session, epoch, heartbeat, limits}]
export const CALL = 2 // either               [2, id, path, input?, options?, marks?]
export const CANCEL = 3 // caller → callee      [3, id]
export const ITEM = 4 // caller → callee      [4, id, value?, marks?]
export const END = 5 // caller → callee      [5, id, error?, marks?]
export const CREDIT = 6 // either, per stream   [6, id, bytes]: granted; below 0: to be granted when read
export const RESULT = 7 // callee → caller      [7, id, value?, marks?]
export const ERROR = 8 // callee → caller      [8, id, error, marks?]
export const EVENT = 9 // callee → caller      [9, id, value?, eventId?, marks?]
export const DONE = 10 // callee → caller      [10, id, value?, marks?]
export const PING = 11 // either               [11]
export const PONG = 12 // either               [12]
export const GOAWAY = 13 // acceptor → connector   [13, {reason?, retryAfter?}]
export const CURSOR = 14 // callee → caller      [14, id, eventId?]: without one, its handler starts anew
/** Numbers up to this are ops, also those that there may be one day. */
export const LAST_OP = 31

/** One parsed protocol unit: its op, then its fields, nothing of it checked beyond being an array. */
export type Message = readonly [op: unknown, ...fields: unknown[]]

/** What a `hello` may carry besides the session; every field may be missing, or null. */
export interface HelloOptions {
  /** Whatever the application authenticates a connection with. */
  params?: unknown
  /** Milliseconds a call without a `timeout` of its own may take; missing: no deadline. */
  timeout?: number
  /** Bytes of events the connector takes per subscription before it has to grant more. */
  window?: number
  /** `'json'`: the connector reads and writes plain JSON only, with no marks and no binary frames, and is not called. @default 'rich' */
  codec?: 'rich' | 'json'
  /** Whether the connector reads, and would write, calls and results without their op. */
  short?: boolean
}

/** What a `welcome` says of the acceptor. */
export interface Welcome {
  /** The session's id, as `hello` said it. */
  session: string
  /** Names what is remembered of the session: the same after it was resumed; another remembers nothing of this one. */
  epoch: string
  /** Milliseconds of silence after which the connector should ping; 0: never. */
  heartbeat: number
  limits: Limits
  /** Whether the acceptor reads calls and results without their op. Said to those who asked. */
  short?: boolean
}

/** Options of one call on the wire. */
export interface WireOptions {
  /** Milliseconds that remain until the caller's deadline. */
  timeout?: number
  /** The id of the last event the caller has seen. */
  lastEventId?: string
  /** What a mutation that runs `'once'` is known by, also beyond this session. */
  key?: string
  /** How often the call has been sent, where this is not the first time. */
  attempt?: number
  /** With `attempt`: the epoch that each earlier sending went to; empty where there were several. */
  epoch?: string
  /** Bytes of events the caller takes before it has to grant more. */
  window?: number
  /** Strings for the application, such as a `traceparent`. */
  metadata?: Record<string, string>
}

/** Bounds that each end keeps. */
export interface PeerLimits {
  /** Characters of JSON, and apart from them bytes of attached binary data, in one message. @default 1_048_576 */
  message: number
  /** Bytes of unread stream data a sender may have under way, per stream. @default 262_144 */
  window: number
  /** Bytes of stream data that may lie unread on one connection, over all streams. @default 67_108_864 */
  unread: number
}

/** Bounds that an end keeps which answers calls; a server announces them. */
export interface Limits extends PeerLimits {
  /** Messages in one frame; clients send up to 500, so a lower limit refuses their bursts. @default 1_000 */
  batch: number
  /** Queries and mutations in flight on one connection, each counted until its handler has ended. @default 256 */
  calls: number
  /** Levels of nesting in one value. @default 64 */
  depth: number
  /** Subscriptions on one connection. @default 128 */
  subscriptions: number
  /** Characters of a procedure's path. @default 256 */
  path: number
  /** Bytes that may wait in the socket's own buffer, where the runtime tells; more closes with 4103. @default 67_108_864 */
  buffered: number
  /** Milliseconds from the socket to its `hello`. @default 10_000 */
  hello: number
  /** Messages held while `authenticate` runs; pairwire's own clients send none. @default 64 */
  held: number
  /** Bytes of results kept per session until its client has them; beyond it the oldest are forgotten. @default 4_194_304 */
  results: number
  /** Calls per second on one connection, on average; 0: no bound. @default 0 */
  rate: number
  /** Calls that may come at once where there is a `rate`; 0: as many as in a second. @default 0 */
  burst: number
}

export const PEER_LIMITS: PeerLimits = { message: 1_048_576, window: 262_144, unread: 67_108_864 }

/** Levels of nesting in one value, if nothing else is agreed. */
export const DEPTH = 64

/** Apart from {@link PEER_LIMITS}, and written as a call that a bundler may leave out. */
export const LIMITS: Limits = /* @__PURE__ */ Object.assign({}, PEER_LIMITS, {
  batch: 1_000,
  calls: 256,
  depth: DEPTH,
  subscriptions: 128,
  path: 256,
  buffered: 67_108_864,
  hello: 10_000,
  held: 64,
  results: 4_194_304,
  rate: 0,
  burst: 0,
})
