import { platform } from './platform.ts'
import type { SocketEvent } from './socket-event.ts'

/** What a `message` listener receives. */
export interface SocketMessageEvent extends SocketEvent {
  readonly type: 'message'
  /** A string; or bytes, as an `ArrayBuffer` or a `Blob` according to the socket's `binaryType` at delivery. */
  // biome-ignore lint/suspicious/noExplicitAny: the same type as in lib.dom; users narrow it
  readonly data: any
}

/** What a `close` listener receives. */
export interface SocketCloseEvent extends SocketEvent {
  readonly type: 'close'
  /** The close code. 1005 means the peer gave none, 1006 that it went away without a close frame. */
  readonly code: number
  /** The reason, at most 123 bytes of UTF-8; empty when none was given. */
  readonly reason: string
  /** True when a close frame arrived, false with code 1006. */
  readonly wasClean: boolean
}

/** What an `error` listener receives. */
export interface SocketErrorEvent extends SocketEvent {
  readonly type: 'error'
  /** For a person to read; begins with `Uncaught`, as in workerd. */
  readonly message: string
  readonly error: unknown
}

/** The events a socket fires. `open` is listed because code written for browsers listens to it; a pair never fires it. */
export interface SocketEventMap {
  open: SocketEvent
  message: SocketMessageEvent
  close: SocketCloseEvent
  error: SocketErrorEvent
}

export function messageEvent(data: unknown): SocketEvent {
  return new platform.MessageEvent('message', { data })
}

export function closeEvent(code: number, reason: string, wasClean: boolean): SocketEvent {
  return make('CloseEvent', 'close', { code, reason, wasClean })
}

export function errorEvent(error: Error): SocketEvent {
  return make('ErrorEvent', 'error', { message: `Uncaught ${error.name}: ${error.message}`, error })
}

/** Node has no `ErrorEvent`, and before 23 no `CloseEvent`: there a plain event carries the same fields. */
function make(name: 'CloseEvent' | 'ErrorEvent', type: string, fields: object): SocketEvent {
  const Own = platform[name]
  if (Own !== undefined) return new Own(type, fields)
  const event = new platform.Event(type)
  for (const [key, value] of Object.entries(fields)) Object.defineProperty(event, key, { value, enumerable: true })
  return event
}
