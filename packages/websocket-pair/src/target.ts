import type { SocketEventMap } from './events.ts'
import { checkListener, type ListenerOptions, refuseCapture, type SocketListener } from './listener.ts'
import { ListenerList } from './listener-list.ts'
import { platform } from './platform.ts'
import type { ReadyStates } from './ready-state.ts'
import { report } from './report.ts'
import type { EventTargetLike, SocketEvent } from './socket-event.ts'

/** What came of telling the listeners: did any hear it, and what did the first that threw throw? */
export interface Told {
  heard: boolean
  thrown: { readonly error: unknown } | undefined
}

const ON_TYPES: readonly string[] = ['open', 'message', 'close', 'error'] satisfies (keyof SocketEventMap)[]

// Named, since a class with isolated declarations cannot extend an expression; with the constants that are put on it.
const Base: (new () => EventTargetLike & ReadyStates) & ReadyStates = platform.EventTarget as never

/**
 * The platform's `EventTarget` with the ways of workerd: an `on…` handler comes before all listeners, listeners do not
 * capture, and whoever dispatches learns that a listener threw.
 *
 * The platform sees one listener for each type, which tells the others.
 */
export class ListenerTarget extends Base {
  readonly #lists = new Map<string, ListenerList>()
  readonly #handlers = new Map<string, unknown>()
  #told: Told = { heard: false, thrown: undefined }
  #masked = false

  static {
    for (const type of ON_TYPES) {
      Object.defineProperty(ListenerTarget.prototype, `on${type}`, {
        configurable: true,
        // workerd's own EventTarget calls what it finds here by itself; masked, it finds nothing
        get(this: ListenerTarget) {
          return this.#masked ? undefined : this.#handlers.get(type)
        },
        // any value can be set, as in workerd; only a function is called
        set(this: ListenerTarget, handler: unknown) {
          this.#handlers.set(type, handler)
          this.#list(type)
        },
      })
    }
  }

  /**
   * Adds a listener; the same one twice counts once. Null is ignored.
   *
   * @throws {TypeError} for a listener that is no function and has no `handleEvent`, and for one that would capture
   */
  override addEventListener<K extends keyof SocketEventMap>(
    type: K,
    listener: SocketListener<SocketEventMap[K]> | null,
    options?: ListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: SocketListener<SocketEvent> | null,
    options?: ListenerOptions | boolean,
  ): void
  override addEventListener(
    ...given: [type: string, listener?: SocketListener<never> | null, options?: ListenerOptions | boolean]
  ): void {
    const [type, listener, options] = given
    checkListener('addEventListener', given.length, listener)
    refuseCapture('addEventListener', options)
    if (listener != null)
      this.#list(type).add(listener, this, typeof options === 'object' && options !== null ? options : {})
  }

  /** Removes a listener, also from the event that is being told. One that was never added is ignored. */
  override removeEventListener<K extends keyof SocketEventMap>(
    type: K,
    listener: SocketListener<SocketEventMap[K]> | null,
    options?: ListenerOptions | boolean,
  ): void
  override removeEventListener(
    type: string,
    listener: SocketListener<SocketEvent> | null,
    options?: ListenerOptions | boolean,
  ): void
  override removeEventListener(
    ...given: [type: string, listener?: SocketListener<never> | null, options?: ListenerOptions | boolean]
  ): void {
    const [type, listener, options] = given
    checkListener('removeEventListener', given.length, listener)
    refuseCapture('removeEventListener', options)
    if (listener != null) this.#lists.get(String(type))?.remove(listener)
  }

  /** Tells the listeners at once. What they throw goes to the console and no further. */
  override dispatchEvent(event: SocketEvent): boolean {
    const { thrown } = this.tell(event)
    if (thrown !== undefined) report(thrown.error)
    return !event.defaultPrevented
  }

  /** Tells every listener, also after one threw. */
  protected tell(event: SocketEvent): Told {
    const outer = this.#told
    const told: Told = { heard: false, thrown: undefined }
    this.#told = told
    this.#masked = this.#lists.has(event.type)
    try {
      super.dispatchEvent(event)
    } finally {
      this.#masked = false
      this.#told = outer
    }
    return told
  }

  #list(type: string): ListenerList {
    const key = String(type)
    let list = this.#lists.get(key)
    if (list === undefined) {
      const added = new ListenerList()
      list = added
      this.#lists.set(key, list)
      super.addEventListener(key, (event) => this.#tellAll(event, added))
    }
    return list
  }

  #tellAll(event: SocketEvent, list: ListenerList): void {
    this.#masked = false
    let stopped = false
    const stop = () => {
      stopped = true
    }
    Object.defineProperty(event, 'stopImmediatePropagation', { configurable: true, value: stop })
    const handler = this.#handlers.get(event.type)
    if (typeof handler === 'function') this.#call(handler.bind(globalThis), event)
    if (stopped) return
    for (const call of list.calls()) {
      this.#call(call, event)
      if (stopped) return
    }
  }

  #call(call: (event: SocketEvent) => unknown, event: SocketEvent): void {
    this.#told.heard = true
    try {
      call(event)
    } catch (error) {
      this.#told.thrown ??= { error }
    }
  }
}
