import { Attachment } from './attachment.ts'
import { toCloseFrame } from './close.ts'
import { toFrame } from './data.ts'
import { End } from './end.ts'
import type { SocketCloseEvent, SocketErrorEvent, SocketMessageEvent } from './events.ts'
import type { OnHandler } from './listener.ts'
import { defineReadyStates } from './ready-state.ts'
import type { SocketEvent } from './socket-event.ts'
import { ListenerTarget } from './target.ts'

/** What `accept` takes. */
export interface AcceptOptions {
  /**
   * True: a close of the peer is not answered until you call `close` yourself, and you may go on sending until then.
   * False (the default, as in workerd from compatibility date 2026-04-07): it is answered at once with the same code
   * and reason.
   */
  readonly allowHalfOpen?: boolean
}

/**
 * One end of a `WebSocketPair`, with the surface of a `WebSocket` in workerd. Events come in turns of the event loop of
 * their own: never within the call that causes them, and never between two microtasks.
 *
 * Source of every rule: workerd itself, on which the package's conformance suite runs as well.
 */
export class PairSocket extends ListenerTarget {
  /** Never called: both ends are open from the beginning. */
  declare onopen: OnHandler<SocketEvent>
  declare onmessage: OnHandler<SocketMessageEvent>
  declare onclose: OnHandler<SocketCloseEvent>
  declare onerror: OnHandler<SocketErrorEvent>

  readonly #end: End
  readonly #attachment = new Attachment()

  /**
   * Not for you: `new WebSocketPair()` makes sockets.
   *
   * @throws {TypeError} when called from outside the package
   */
  constructor(end: unknown) {
    if (!(end instanceof End)) throw new TypeError('Illegal constructor: sockets come from new WebSocketPair().')
    super()
    this.#end = end
    end.tell = (event) => this.tell(event)
  }

  /** 1 (open) also before `accept()`; 2 after one close frame, sent or received; 3 after both, or after an error. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#end.readyState
  }

  /** How bytes arrive: `blob` (the default, as in workerd from 2026-03-17) or `arraybuffer`. Other values are ignored. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#end.binaryType
  }

  set binaryType(type: 'blob' | 'arraybuffer') {
    if (type === 'blob' || type === 'arraybuffer') this.#end.binaryType = type
  }

  /** Bytes (texts in UTF-8) sent and not yet handed to the other end. */
  get bufferedAmount(): number {
    return this.#end.bufferedAmount
  }

  /** Null: a pair has no address. */
  get url(): string | null {
    return null
  }

  /** Empty: a pair negotiates nothing. */
  get protocol(): string {
    return ''
  }

  /** Empty: a pair negotiates nothing. */
  get extensions(): string {
    return ''
  }

  /**
   * Begins the delivery of events, first of all those that came before. Add your listeners in the same turn: a message
   * that arrives when nobody listens is gone. A second call changes nothing.
   *
   * @throws {TypeError} when the options are neither an object nor null nor undefined
   */
  accept(options?: AcceptOptions | null): void {
    if (options != null && typeof options !== 'object' && typeof options !== 'function') {
      throw new TypeError("Failed to execute 'accept' on 'WebSocket': parameter 1 is not of type 'AcceptOptions'.")
    }
    this.#end.accept(Boolean(options?.allowHalfOpen))
  }

  /**
   * Sends a string, or the bytes of a buffer or view as they are now. Anything else becomes a string, also a `Blob`.
   * Ignored once the connection is broken.
   *
   * @throws {TypeError} before `accept()`, after `close()`, without an argument, for a symbol
   */
  send(message: string | ArrayBuffer | ArrayBufferView): void
  // no argument is an error, an undefined one the text 'undefined'
  send(...given: unknown[]): void {
    if (given.length === 0) {
      const wanted = "parameter 1 is not of type 'ArrayBuffer or ArrayBufferView or string'"
      throw new TypeError(`Failed to execute 'send' on 'WebSocket': ${wanted}.`)
    }
    this.#end.send(toFrame(given[0]))
  }

  /**
   * Sends a close frame after all messages. The `close` event comes when the peer has answered; until then messages
   * still arrive. A second call is ignored, but its arguments are checked.
   *
   * @param code 1000 to 4999 without 1004, 1005, 1006 and 1015; without a code the peer sees 1005
   * @param reason at most 123 bytes of UTF-8
   * @throws {DOMException} `InvalidAccessError` for a code that is not allowed or a reason without a code; `SyntaxError`
   *   for a reason that is too long
   * @throws {TypeError} before `accept()`
   */
  close(code?: number, reason?: string): void {
    this.#end.close(toCloseFrame(code, reason))
  }

  /**
   * Keeps a copy of a value with this socket. In workerd it survives hibernation; here it lives as long as the socket.
   *
   * @throws {DOMException} `DataCloneError` for what cannot be cloned
   * @throws {Error} when it takes more than 16,384 bytes of V8's structured clone format
   */
  serializeAttachment(value: unknown): void
  serializeAttachment(...given: unknown[]): void {
    if (given.length === 0) {
      const wanted = "parameter 1 is not of type 'Value'"
      throw new TypeError(`Failed to execute 'serializeAttachment' on 'WebSocket': ${wanted}.`)
    }
    this.#attachment.set(given[0])
  }

  /** A new copy of the value kept last; null when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of workerd's method
  deserializeAttachment(): any {
    return this.#attachment.get()
  }
}

// not in a static block: to name itself there, a bundler gives the class another name
defineReadyStates(PairSocket)
Object.defineProperty(PairSocket.prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true })
