import { HELLO, type Limits, OVERLOADED, type Parsed, ProtocolError, SECOND_HELLO } from '@pairwire/wire'

/** What comes on a socket while it is being found out whose it is: no more than there is room for. */
export class HeldFrames {
  readonly frames: Parsed[] = []
  readonly #limits: Limits
  #messages = 0
  #size = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** @throws ProtocolError where it is too much, or a second hello */
  add(frame: Parsed): void {
    if (frame.messages.some(([op]) => op === HELLO)) throw new ProtocolError(SECOND_HELLO, 'a connection has one hello')
    this.#messages += frame.messages.length
    this.#size += frame.size
    if (this.#messages > this.#limits.held || this.#size > 2 * this.#limits.message)
      throw new ProtocolError(OVERLOADED, 'too much was sent before the welcome')
    this.frames.push(frame)
  }
}
