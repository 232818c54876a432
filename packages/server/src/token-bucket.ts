/** The longest wait that is advised, in milliseconds. */
const MAX_ADVICE = 60_000

/** Lets through so much in a second, and no more. */
export interface TokenBucket {
  /**
   * Takes a token if there is one.
   *
   * @returns 0 where a token was taken, else the milliseconds after which trying again makes sense: a whole number from 1
   * to 60,000. Each refusal in a row is told a later time, when there is a token for it too, so that a crowd does not come
   * back all at once.
   */
  take(): number
}

/**
 * A bucket that holds up to `burst` tokens, is full at first, and gets `rate` more each second. No timers.
 *
 * @param rate tokens per second; 0 or Infinity: no limit
 * @param burst tokens at once, at least 1
 * @param now the time in milliseconds; it may go backwards
 * @throws RangeError for a rate or burst that is none
 * @example
 * const bucket = createTokenBucket(10, 20)
 * const wait = bucket.take()
 * if (wait) throw new RpcError('RESOURCE_EXHAUSTED', 'too many calls', { executed: 'no', retryAfter: wait })
 */
export const createTokenBucket = (rate: number, burst: number, now: () => number = Date.now): TokenBucket => {
  if (!(rate >= 0)) throw new RangeError(`rate has to be a number of tokens per second, 0 or more, and not ${rate}`)
  if (rate === 0 || rate === Infinity) return { take: () => 0 }
  if (!(burst >= 1)) throw new RangeError(`burst has to be a number of tokens, 1 or more, and not ${burst}`)
  let tokens = burst
  let last = now()
  let refused = 0

  return {
    take() {
      const time = now()
      // A clock that was set back gives nothing, and counts on from where it is.
      tokens = Math.min(burst, tokens + (Math.max(0, time - last) * rate) / 1_000)
      last = time
      // Sums of fractions may miss a whole number by a hair.
      if (tokens >= 1 - 1e-9) {
        tokens = Math.max(0, tokens - 1)
        refused = 0
        return 0
      }
      refused++
      return Math.min(MAX_ADVICE, Math.ceil(((refused - tokens) * 1_000) / rate))
    },
  }
}
