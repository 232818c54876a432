/** Where the readers of a subscription stand, so that it can be started again there. */
export interface Places {
  /** The id that this topic is to be read behind; once, for the first reader that a handler makes of it. */
  take(topic: string): string | undefined
  /**
   * A reader of this topic reads for the subscription. `position` is undefined where it has none to go on from.
   * @returns what to call when it has moved
   */
  stand(topic: string, position: () => string | undefined): () => void
}

/** The places of the subscriptions that are kept while an object sleeps, by the signals that their handlers are given. */
export const placesOf: WeakMap<AbortSignal, Places> = new WeakMap()
