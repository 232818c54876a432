/** What a topic retains: all three hold. */
export interface Retention {
  /** Events. */
  readonly retain: number
  readonly bytes: number
  /** Milliseconds. */
  readonly age: number
}

/**
 * Checks what a topic was told to retain.
 *
 * @param of the function it was told to, for the message
 * @throws TypeError for what is no number, RangeError for one that is too small
 */
export const checkRetention = (of: string, { retain, bytes, age }: Retention): Retention => {
  const retention = { retain, bytes, age }
  for (const [name, value] of Object.entries(retention)) {
    const whole = name === 'retain' ? 'a whole number from 1 up' : 'a number from 1 up'
    const message = `${of}(): ${name} is ${String(value)}; give it ${whole}, or Infinity for no limit`
    if (typeof value !== 'number') throw new TypeError(message)
    if (!(value >= 1) || (name === 'retain' && value !== Infinity && !Number.isSafeInteger(value)))
      throw new RangeError(message)
  }
  return retention
}
