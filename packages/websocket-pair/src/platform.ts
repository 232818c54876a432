import type { EventTargetLike, SocketEvent } from './socket-event.ts'

type EventClass = new (type: string, init?: object) => SocketEvent

/** The class `MessageChannel`, as far as it is used for waking up. */
export type ChannelClass = new () => {
  readonly port1: { onmessage: (() => void) | null }
  readonly port2: { postMessage(message: null): void }
}

/**
 * The parts of the platform this package stands on, described by shape: the published types then need neither lib.dom
 * nor the types of Workers or Node.
 */
interface Platform {
  readonly Event: EventClass
  readonly MessageEvent: EventClass
  readonly CloseEvent?: EventClass
  readonly ErrorEvent?: EventClass
  readonly EventTarget: new () => EventTargetLike
  readonly Blob: new (parts: ArrayBuffer[]) => object
  readonly DOMException: new (message: string, name: string) => Error
  readonly MessageChannel?: ChannelClass
  readonly console: { error(...parts: unknown[]): void }
  readonly setImmediate?: (task: () => void) => unknown
  readonly setTimeout: (task: () => void, ms: number) => unknown
  readonly structuredClone: <T>(value: T) => T
}

export const platform: Platform = globalThis as unknown as Platform
