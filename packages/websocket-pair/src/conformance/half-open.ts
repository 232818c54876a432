import { describe, expect, it } from 'vitest'
import { type PairClass, quiet, thrown, watch } from './harness.ts'

const HALF = { allowHalfOpen: true }

/** `accept({ allowHalfOpen: true })`. */
export function halfOpen(Pair: PairClass): void {
  describe('half-open', () => {
    it('a close is not answered', async () => {
      const [a, b, log] = watch(Pair, undefined, HALF)
      a.close(4001, 'bye')
      await quiet()
      expect(log).toEqual(["b close 4001 'bye' clean (2)"])
      expect([a.readyState, b.readyState]).toEqual([2, 2])
    })
    it('one may go on sending, and close when done', async () => {
      const [a, b, log] = watch(Pair, undefined, HALF)
      a.close(4001)
      await quiet()
      b.send('still here')
      b.close(4009, 'back')
      await quiet()
      expect(log.slice(1)).toEqual(['a message still here (2)', "a close 4009 'back' clean (3)"])
      expect([a.readyState, b.readyState]).toEqual([3, 3])
    })
    it('one may send and close within the close listener', async () => {
      const [a, b, log] = watch(Pair, undefined, HALF)
      b.addEventListener('close', () => {
        b.send('late')
        b.close()
      })
      a.close(4001)
      await quiet()
      expect(log).toEqual(["b close 4001 '' clean (2)", 'a message late (2)', "a close 1005 '' clean (3)"])
    })
    it('an answer within the close listener is heard, then the connection is lost', async () => {
      const [a, b, log] = watch(Pair, undefined, HALF)
      b.addEventListener('close', ({ code, reason }) => b.close(code, reason))
      a.close(4001, 'bye')
      await quiet()
      expect(log).toEqual([
        "b close 4001 'bye' clean (2)",
        "a close 4001 'bye' clean (3)",
        'b error Uncaught Error: Network connection lost. (3)',
      ])
    })
    it('is a choice of each end for itself', async () => {
      const [a, b] = watch(Pair, HALF, undefined)
      a.close()
      await quiet()
      expect([a.readyState, b.readyState]).toEqual([3, 3])
    })
    it('the one who closed may not send any more', async () => {
      const [a] = watch(Pair, HALF, HALF)
      a.close()
      await quiet()
      expect(thrown(() => a.send('x'))).toBe("TypeError: Can't call WebSocket send() after close().")
    })
    it('is decided by the first accept', async () => {
      const { 0: a, 1: b } = new Pair()
      a.accept()
      b.accept(HALF)
      b.accept({ allowHalfOpen: false })
      a.close()
      await quiet()
      expect(b.readyState).toBe(2)
    })
    it('is meant by any truthy value, and by no falsy one', async () => {
      const states: number[] = []
      for (const allowHalfOpen of ['yes', 1, null, 0, undefined]) {
        const { 0: a, 1: b } = new Pair()
        a.accept()
        b.accept({ allowHalfOpen } as never)
        a.close()
        await quiet()
        states.push(b.readyState)
      }
      expect(states).toEqual([2, 2, 3, 3, 3])
    })
  })
}
