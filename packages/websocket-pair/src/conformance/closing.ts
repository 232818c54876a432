import { describe, expect, it } from 'vitest'
import { open, type PairClass, quiet, thrown, watch } from './harness.ts'

const LOST = 'error Uncaught Error: Network connection lost. (3)'
const AFTER_CLOSE = "TypeError: Can't call WebSocket send() after close()."

/** How a conversation ends. */
export function closing(Pair: PairClass): void {
  describe('close', () => {
    it('is answered at once with the same code and reason', async () => {
      const [a, , log] = watch(Pair)
      a.close(4001, 'bye')
      await quiet()
      expect(log.slice(0, 2)).toEqual(["b close 4001 'bye' clean (3)", "a close 4001 'bye' clean (3)"])
    })
    it('without a code arrives as 1005 on both sides', async () => {
      for (const args of [[], [undefined], [undefined, undefined]] as [code?: number][]) {
        const [a, , log] = watch(Pair)
        a.close(...args)
        await quiet()
        expect(log.slice(0, 2)).toEqual(["b close 1005 '' clean (3)", "a close 1005 '' clean (3)"])
      }
    })
    it('without a reason has an empty one', async () => {
      const [a, , log] = watch(Pair)
      a.close(1000)
      await quiet()
      expect(log[0]).toBe("b close 1000 '' clean (3)")
    })
    it('makes the one who answered hear that the connection was lost', async () => {
      const [a, , log] = watch(Pair)
      a.close(1000)
      await quiet()
      expect(log.slice(2)).toEqual([`b ${LOST}`])
    })
    it('comes after all messages sent before it', async () => {
      const [a, , log] = watch(Pair)
      a.send('1')
      a.send('2')
      a.close(1000, 'done')
      await quiet()
      expect(log.slice(0, 3)).toEqual(['b message 1 (1)', 'b message 2 (1)', "b close 1000 'done' clean (3)"])
    })
    it('changes readyState at once for the caller, later for the peer', async () => {
      const [a, b] = open(Pair)
      a.close()
      const atOnce = [a.readyState, b.readyState]
      await quiet()
      expect([...atOnce, a.readyState, b.readyState]).toEqual([2, 1, 3, 3])
    })
    it('does not stop what the peer has sent', async () => {
      const [a, b, log] = watch(Pair)
      a.close(4001)
      for (const text of ['1', '2', '3']) b.send(text)
      await quiet()
      expect(log).toEqual([
        "b close 4001 '' clean (3)",
        'a message 1 (2)',
        'a message 2 (2)',
        'a message 3 (2)',
        "a close 4001 '' clean (3)",
      ])
    })
    it('makes send throw from then on', async () => {
      const [a, b] = open(Pair)
      a.close()
      expect(thrown(() => a.send('x'))).toBe(AFTER_CLOSE)
      await quiet()
      expect([thrown(() => a.send('x')), thrown(() => b.send('x'))]).toEqual([AFTER_CLOSE, AFTER_CLOSE])
    })
    it('has been answered when the peer’s close listener runs, so that send throws there', async () => {
      const [a, b] = open(Pair)
      let error: string | undefined
      b.onclose = () => {
        error = thrown(() => b.send('last words'))
      }
      a.close()
      await quiet()
      expect(error).toBe(AFTER_CLOSE)
    })
    it('a second time does nothing', async () => {
      const [a, , log] = watch(Pair)
      a.close(4001, 'first')
      a.close(4002, 'second')
      await quiet()
      a.close(4003)
      await quiet()
      expect(log.slice(0, 2)).toEqual(["b close 4001 'first' clean (3)", "a close 4001 'first' clean (3)"])
    })
    it('in the close listener of the peer changes nothing', async () => {
      const [a, b, log] = watch(Pair)
      b.addEventListener('close', () => b.close(4002, 'other'))
      a.close(4001, 'first')
      await quiet()
      expect(log).toEqual(["b close 4001 'first' clean (3)", "a close 4001 'first' clean (3)", `b ${LOST}`])
    })
    it('in a message listener ends the conversation, after an answer sent just before', async () => {
      const [a, b, log] = watch(Pair)
      b.addEventListener('message', () => {
        b.send('ack')
        b.close(4005, 'done')
      })
      a.send('bye')
      await quiet()
      expect(log).toEqual([
        'b message bye (1)',
        'a message ack (1)',
        "a close 4005 'done' clean (3)",
        "b close 4005 'done' clean (3)",
        `a ${LOST}`,
      ])
    })
    it('in a message listener lets the messages already sent arrive', async () => {
      const [a, b, log] = watch(Pair)
      b.addEventListener('message', () => b.close(4005))
      for (const text of ['1', '2', '3']) a.send(text)
      await quiet()
      expect(log).toEqual([
        'b message 1 (1)',
        "a close 4005 '' clean (3)",
        'b message 2 (2)',
        'b message 3 (2)',
        "b close 4005 '' clean (3)",
      ])
    })
    it('of both ends at once gives each the code of the other', async () => {
      const [a, b, log] = watch(Pair)
      a.close(4001, 'from a')
      b.close(4002, 'from b')
      await quiet()
      expect(log).toEqual(["b close 4001 'from a' clean (3)", "a close 4002 'from b' clean (3)", `a ${LOST}`])
    })
    it('of both ends at once, each after a message, comes after the message', async () => {
      const [a, b, log] = watch(Pair)
      a.send('1')
      a.close(4001)
      b.send('2')
      b.close(4002)
      await quiet()
      // whether one of them then hears that the connection was lost differs between a Worker and a Durable Object
      expect(log.filter((line) => !line.includes('error'))).toEqual([
        'b message 1 (2)',
        'a message 2 (2)',
        "b close 4001 '' clean (3)",
        "a close 4002 '' clean (3)",
      ])
    })
    it('waits for an end that is not accepted yet', async () => {
      const { 0: a, 1: b } = new Pair()
      a.accept()
      a.close(4001)
      await quiet()
      const before = [a.readyState, b.readyState]
      b.accept()
      await quiet()
      expect([...before, a.readyState, b.readyState]).toEqual([2, 1, 3, 3])
    })
  })
}
