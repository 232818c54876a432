import type { Tracked } from '@pairwire/contract'

/** Where a subscription to a topic starts, and when it ends. */
export interface TopicSubscription {
  /** The last event the subscriber has seen: what came after it is sent first. */
  lastEventId?: string | undefined
  /** Ends the subscription. Pass a handler's `signal` when the topic is read inside a generator of your own. */
  signal?: AbortSignal | undefined
}

/** A log that many subscriptions read. Each event has an id, `epoch.offset`. */
export interface Topic<T> {
  /** Appends an event, for everyone who is subscribed; returns it. */
  publish(event: T): T
  /**
   * The events from here on, or after `lastEventId`. Every subscriber reads the log at its own pace.
   *
   * @throws RpcError DATA_LOSS, while iterating, where events after `lastEventId` are no longer there, or the reader has
   * fallen behind what is retained: never a partial replay
   */
  subscribe(from?: TopicSubscription): AsyncIterableIterator<Tracked<T>>
}
