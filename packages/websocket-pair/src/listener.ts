/** A function that hears events, or an object with a `handleEvent` method. */
export type SocketListener<E> = ((event: E) => unknown) | { handleEvent(event: E): unknown }

/** An `on…` handler. Undefined until one is set. */
export type OnHandler<E> = ((event: E) => unknown) | null | undefined

/** The part of an `AbortSignal` that removes a listener. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
}

/** What `addEventListener` takes. To capture is refused, at run time as in workerd. */
export interface ListenerOptions {
  readonly capture?: boolean
  readonly once?: boolean
  readonly passive?: boolean
  readonly signal?: AbortSignalLike
}

/** The checks of workerd, with its messages. Null and undefined pass: they are ignored. */
export function checkListener(method: string, given: number, listener: unknown): void {
  if (given >= 2 && listener == null) return
  const isObject = typeof listener === 'object' && listener !== null
  if (typeof listener !== 'function' && !isObject) {
    const wanted = "parameter 2 is not of type 'function or HandlerObject'"
    throw new TypeError(`Failed to execute '${method}' on 'EventTarget': ${wanted}.`)
  }
  if (isObject && typeof (listener as { handleEvent?: unknown }).handleEvent !== 'function') {
    const where = "Incorrect type for the 'handleEvent' field on 'HandlerObject'"
    throw new TypeError(`${where}: the provided value is not of type 'function'.`)
  }
}

export function refuseCapture(method: string, options: unknown): void {
  if (options === true) throw new TypeError(`${method}(): useCapture must be false.`)
  if (typeof options === 'object' && (options as { capture?: unknown } | null)?.capture) {
    throw new TypeError(`${method}(): options.capture must be false.`)
  }
}
