import type { CallError, CallOptions, Carried } from './call.ts'
import type { InputStream } from './input-stream.ts'

/**
 * What calling a subscription returns. A client makes the call at once, and its events wait to be iterated or subscribed
 * to; `router.caller` begins with the first reader. It is not awaited: that fails with `UNIMPLEMENTED`.
 */
export interface Subscription<Event, Errors = never> extends AsyncIterable<Event> {
  /** Never there at run time: it carries the declared errors. */
  readonly '~errors'?: Carried<Errors>
  /** Hands each event to a callback. Returns a function that ends the subscription. */
  subscribe(observer: Observer<Event, Errors>): () => void
}

/** The callbacks of a subscription. `onError` or `onDone` is the last that is called, and called once. */
export interface Observer<Event, Errors = never> {
  /** May return a promise: the next event waits for it. */
  onData?: ((event: Event) => unknown) | undefined
  onError?: ((error: CallError<Errors>) => unknown) | undefined
  /** The handler has no more events. */
  onDone?: (() => unknown) | undefined
}

export interface SubscriptionOptions extends CallOptions {
  /** The id of the last event that was seen: a handler that can begins behind it. */
  lastEventId?: string | undefined
}

/** The options of a subscription whose procedure has an `inputStream`. */
export interface StreamSubscriptionOptions<Item> extends SubscriptionOptions {
  /** What is sent along, item by item, as fast as the other end takes it. */
  stream: InputStream<Item>
}
