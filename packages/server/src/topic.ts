import type { Tracked } from '@pairwire/contract'

/** Where a subscription to a topic starts, and when it ends. */
export interface TopicSubscription<T = unknown> {
  /** The last event the subscriber has seen: what came after it is sent first. */
  lastEventId?: string | undefined
  /** Ends the subscription. Pass a handler's `signal` when the topic is read inside a generator of your own. */
  signal?: AbortSignal | undefined
  /**
   * Loads the state as it is now. Its value is the first event, and the events published from then on follow, without a
   * hole: also those published while it was loading, whose effect the state may or may not show already.
   *
   * It is called where there is no `lastEventId`, or where not all that came after it is still there: instead of
   * `DATA_LOSS`, also later, when the reader falls behind what is retained. What it throws ends the subscription.
   */
  snapshot?: (() => T | PromiseLike<T>) | undefined
}

/** The events of a topic, as one subscriber reads them. */
export interface TopicEvents<T> extends AsyncIterableIterator<Tracked<T>> {
  /**
   * The id that the events start behind; undefined where a snapshot comes first, or a gap ends them. A router tells it to
   * a subscriber who has no id yet, if a handler returns the events themselves. A generator around them yields it:
   * `if (events.cursor) yield cursor(events.cursor)`.
   */
  readonly cursor: string | undefined
}

/** A log that many subscriptions read. Each event has an id, `epoch.offset`. */
export interface Topic<T> {
  /**
   * The id of the last event published, or the one before the first: subscribed to with it as `lastEventId`, the topic
   * gives what is published from here on. Take it before you load a state of your own.
   */
  readonly cursor: string
  /** Appends an event, for everyone who is subscribed; returns it. */
  publish(event: T): T
  /**
   * The events from here on, or after `lastEventId`: from when this is called, also if reading begins later. Every
   * subscriber reads the log at its own pace.
   *
   * @throws RpcError DATA_LOSS, while iterating and without a `snapshot`, where events after `lastEventId` are no longer
   * there, or the reader has fallen behind what is retained: never a partial replay. With a `snapshot`, where the topic
   * goes on faster than the snapshot can be loaded
   * @example
   * // The list as it is, then each item that is added to it.
   * topic.subscribe({ lastEventId, snapshot: async () => ({ kind: 'list', items: await load() }) })
   */
  subscribe(from?: TopicSubscription<T>): TopicEvents<T>
}
