import type { CallError, CallOptions, Carried } from './call.ts'
import type { InputStream } from './input-stream.ts'

/**
 * What calling a subscription returns. A client makes the call at once, and its events wait to be iterated or subscribed
 * to; `router.caller` begins with the first reader. It is not awaited: that fails with `UNIMPLEMENTED`.
 */
export interface Subscription<Event, Errors = never> extends AsyncIterable<Event> {
  /** Never there at run time: it carries the declared errors. */
  readonly '~errors'?: Carried<Errors>
  /** The id of the last event that was read, of those that have one: what to bring as `lastEventId` after a page reload. */
  readonly lastEventId?: string | undefined
  /** Hands each event to a callback. Returns a function that ends the subscription. */
  subscribe(observer: Observer<Event, Errors>): () => void
}

/** Says that events may be missing. */
export interface Gap {
  /**
   * `'lost'`: the server no longer has the events after the last one, or has others. `'untracked'`: the connection was lost,
   * and the events have no ids to go on from.
   */
  readonly reason: 'lost' | 'untracked'
}

/** The callbacks of a subscription. `onError` or `onDone` is the last that is called, and called once. */
export interface Observer<Event, Errors = never> {
  /** May return a promise: the next event waits for it. */
  onData?: ((event: Event) => unknown) | undefined
  onError?: ((error: CallError<Errors>) => unknown) | undefined
  /** The handler has no more events. */
  onDone?: (() => unknown) | undefined
  /** As the option of this name. */
  onGap?: ((gap: Gap) => unknown) | undefined
}

export interface SubscriptionOptions extends CallOptions {
  /** The id of the last event that was seen: a handler that can begins behind it. */
  lastEventId?: string | undefined
  /**
   * Events may be missing between the last one and the next, once: load the state anew. Without it, here or in `subscribe`,
   * the subscription fails with `DATA_LOSS` instead.
   */
  onGap?: ((gap: Gap) => unknown) | undefined
}

/** The options of a subscription whose procedure has an `inputStream`. */
export interface StreamSubscriptionOptions<Item> extends SubscriptionOptions {
  /** What is sent along, item by item, as fast as the other end takes it. */
  stream: InputStream<Item>
}
