/** An event, as far as sockets and their listeners look at it. */
export interface SocketEvent {
  readonly type: string
  readonly target: unknown
  readonly currentTarget: unknown
  readonly defaultPrevented: boolean
  readonly timeStamp: number
  preventDefault(): void
  stopImmediatePropagation(): void
  stopPropagation(): void
}

/** The part of an `EventTarget` that sockets inherit. */
export interface EventTargetLike {
  addEventListener(type: string, listener: (event: SocketEvent) => void, options?: object): void
  removeEventListener(type: string, listener: (event: SocketEvent) => void): void
  dispatchEvent(event: SocketEvent): boolean
}
