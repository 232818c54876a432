/** Whoever made a call hears of it through this. */
export interface Caller {
  /**
   * By the message's op: RESULT with a value, EVENT with one, what it weighs and its id if it has one, DONE, ERROR with an
   * RpcError, CURSOR with an event's id, or CREDIT with the bytes to grant once the events so far have been read, and what
   * the question weighs. Exactly one of RESULT, DONE and ERROR ends the call.
   */
  hear(op: number, value?: unknown, weight?: number, eventId?: string): void
}
