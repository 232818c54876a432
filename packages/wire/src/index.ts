export type { Answering } from './answering.ts'
export { type Answers, type AnswersOptions, createAnswers } from './answers.ts'
export { Call, type CallOwner, type CallSettings, type Handlers } from './call.ts'
export type { Callable, Callee, Feed, Invocation } from './callee.ts'
export type { Caller } from './caller.ts'
export {
  BAD_FRAME,
  BAD_VERSION,
  closeReason,
  DRAINING,
  DUPLICATE_ID,
  FORBIDDEN,
  HEARTBEAT_LOST,
  HELLO_TIMEOUT,
  INTERNAL_CLOSE,
  OVERLOADED,
  ProtocolError,
  SECOND_HELLO,
  SLOW_CONSUMER,
  SUPERSEDED,
  TOO_LARGE,
  TOO_MANY_CONNECTIONS,
  UNAUTHENTICATED_CLOSE,
} from './close.ts'
export { type Codec, type Encoded, type Frame, jsonCodec } from './codec.ts'
export { createDeadlines, createTimers, type Deadlines, type Expiring } from './deadlines.ts'
export { compose, type Parsed, parseFrame } from './frame.ts'
export { composeHello, readWelcome } from './handshake.ts'
export { createLine, type Line, OutboxLine, type Packed, WEIGHT } from './line.ts'
export type { Memory } from './memory.ts'
export {
  CREDIT,
  DEPTH,
  DONE,
  ERROR,
  EVENT,
  GOAWAY,
  HELLO,
  type HelloOptions,
  LIMITS,
  type Limits,
  type Message,
  PEER_LIMITS,
  type PeerLimits,
  PING,
  PONG,
  RESULT,
  SUBPROTOCOL,
  VERSION,
  WELCOME,
  type Welcome,
  type WireOptions,
} from './messages.ts'
export {
  createOutbox,
  createQuiet,
  createTickOutbox,
  type HeldOutbox,
  type Outbox,
  type OutboxFactory,
  type Quiet,
} from './outbox.ts'
export { createPeer, LinePeer, type Peer, type PeerOptions } from './peer.ts'
export { createProxy } from './proxy.ts'
export type { Publishing, Recorder } from './publishing.ts'
export { report } from './report.ts'
export { createRichCodec, type Marks } from './rich-codec.ts'
export { type Flat, type Mark, type RichTypes, richTypes } from './rich-types.ts'
export type { Source } from './sender.ts'
export { type Attached, attach, type Socket, type SocketEvents } from './socket.ts'
export { type SuperJsonRegistries, superjsonTypes } from './superjson-types.ts'
export { type Suspended, suspend } from './suspended.ts'
export { type Upload, upload } from './upload.ts'
