export type {
  SocketCloseEvent,
  SocketErrorEvent,
  SocketEventMap,
  SocketMessageEvent,
} from './events.ts'
export { install } from './install.ts'
export type { AbortSignalLike, ListenerOptions, OnHandler, SocketListener } from './listener.ts'
export { WebSocketPair, type WebSocketPairConstructor } from './pair.ts'
export { type AcceptOptions, PairSocket } from './socket.ts'
export type { SocketEvent } from './socket-event.ts'
