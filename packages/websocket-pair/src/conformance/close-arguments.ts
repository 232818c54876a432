import { describe, expect, it } from 'vitest'
import { open, type PairClass, quiet, thrown } from './harness.ts'

const NO_CODE = 'InvalidAccessError: If you specify a WebSocket close reason, you must also specify a code.'
const TOO_LONG = 'SyntaxError: WebSocket close reason must not be longer than 123 bytes when UTF-8 encoded.'

/** What `close` takes and refuses. */
export function closeArguments(Pair: PairClass): void {
  /** What the peer hears of `close(code, reason)`, or what it throws. */
  async function closed(code: unknown, reason?: unknown): Promise<unknown> {
    const [a, b] = open(Pair)
    let heard: unknown
    b.onclose = (event) => {
      heard = [event.code, event.reason]
    }
    const error = thrown(() => a.close(code as number, reason as string))
    if (error !== undefined) return [error, a.readyState]
    await quiet()
    return heard
  }

  describe('the arguments of close', () => {
    it('allow all codes from 1000 to 4999 that may travel', async () => {
      for (const code of [1000, 1001, 1003, 1007, 1011, 1014, 1016, 2999, 3000, 4999]) {
        expect(await closed(code, 'r')).toEqual([code, 'r'])
      }
    })
    it('refuse the reserved codes and those outside, and leave the socket open', async () => {
      for (const code of [-1, 0, 1, 999, 1004, 1005, 1006, 1015, 5000, 65536, 66536]) {
        expect(await closed(code)).toEqual([`InvalidAccessError: Invalid WebSocket close code: ${code}.`, 1])
      }
    })
    it('make an integer of the code', async () => {
      expect(await closed(1000.7)).toEqual([1000, ''])
      expect(await closed('1000')).toEqual([1000, ''])
      expect(await closed({ valueOf: () => 4000 })).toEqual([4000, ''])
      for (const code of [null, 'abc', Number.NaN, Number.POSITIVE_INFINITY, {}]) {
        expect(await closed(code)).toEqual(['InvalidAccessError: Invalid WebSocket close code: 0.', 1])
      }
    })
    it('refuse codes that are no 32-bit numbers with a TypeError', async () => {
      const message = 'TypeError: Value out of range. Must be between -2147483648 and 2147483647 (inclusive).'
      expect(await closed(2 ** 32 + 1000)).toEqual([message, 1])
      const [a] = open(Pair)
      expect(() => a.close(1000n as never)).toThrow(TypeError)
      expect(() => a.close(Symbol('x') as never)).toThrow(TypeError)
    })
    it('make a string of the reason', async () => {
      expect(await closed(4000, 5)).toEqual([4000, '5'])
      expect(await closed(4000, null)).toEqual([4000, 'null'])
      expect(await closed(4000, undefined)).toEqual([4000, ''])
    })
    it('limit the reason to 123 bytes of UTF-8', async () => {
      for (const reason of ['x'.repeat(123), '€'.repeat(41), '\u{1F600}'.repeat(30)]) {
        expect(await closed(4000, reason)).toEqual([4000, reason])
      }
      for (const reason of ['x'.repeat(124), '€'.repeat(42), '\u{1F600}'.repeat(31), '\uD800'.repeat(42)]) {
        expect(await closed(4000, reason)).toEqual([TOO_LONG, 1])
      }
    })
    it('have one replacement character in the reason for a lone surrogate', async () => {
      expect(await closed(4000, 'x\uD800')).toEqual([4000, 'x\uFFFD'])
    })
    it('want a code for a reason, even for an empty one', async () => {
      expect(await closed(undefined, 'x')).toEqual([NO_CODE, 1])
      expect(await closed(undefined, '')).toEqual([NO_CODE, 1])
    })
    it('are checked in the order code, length, missing code', async () => {
      const long = 'x'.repeat(124)
      expect(await closed(1, long)).toEqual(['InvalidAccessError: Invalid WebSocket close code: 1.', 1])
      expect(await closed(undefined, long)).toEqual([TOO_LONG, 1])
    })
    it('are checked before accept and after close, too', () => {
      const fresh = new Pair()[0]
      const [used] = open(Pair)
      used.close()
      for (const socket of [fresh, used]) {
        expect(thrown(() => socket.close(1))).toBe('InvalidAccessError: Invalid WebSocket close code: 1.')
        expect(thrown(() => socket.close(undefined, 'x'))).toBe(NO_CODE)
        expect(thrown(() => socket.close(4000, 'x'.repeat(124)))).toBe(TOO_LONG)
      }
    })
    it('are refused with a DOMException', () => {
      const { DOMException } = globalThis as unknown as { DOMException: new () => Error }
      expect(() => new Pair()[0].close(1)).toThrow(DOMException)
    })
  })
}
