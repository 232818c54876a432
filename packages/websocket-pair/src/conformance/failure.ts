import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PairSocket } from '../socket.ts'
import { open, type PairClass, quiet, thrown, watch } from './harness.ts'

const WENT_AWAY = "close 1006 'WebSocket disconnected without sending Close frame.' unclean"
const LOST = 'error Uncaught Error: Network connection lost. (3)'

declare const console: { error(...parts: unknown[]): void }

/** What follows when a listener throws. */
export function failure(Pair: PairClass): void {
  function throwAt(socket: PairSocket, type: 'message' | 'close' | 'error', error: unknown = new Error('boom')): void {
    socket.addEventListener(type, () => {
      throw error
    })
  }

  describe('a listener that throws', () => {
    beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
    afterEach(() => void vi.restoreAllMocks())

    it('for a message breaks the connection: error here, 1006 at the peer', async () => {
      const [a, b, log] = watch(Pair)
      throwAt(b, 'message')
      a.send('1')
      await quiet()
      expect(log).toEqual(['b message 1 (1)', 'b error Uncaught Error: boom (3)', `a ${WENT_AWAY} (1)`])
      expect([a.readyState, b.readyState]).toEqual([2, 3])
    })
    it('leaves later messages unheard, and a peer with messages under way hears an error as well', async () => {
      const [a, b, log] = watch(Pair)
      throwAt(b, 'message')
      a.send('1')
      a.send('2')
      await quiet()
      expect(log).toEqual(['b message 1 (1)', 'b error Uncaught Error: boom (3)', `a ${LOST}`, `a ${WENT_AWAY} (3)`])
      expect([a.readyState, b.readyState]).toEqual([3, 3])
    })
    it('does not keep the other listeners of the same message from hearing it', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      b.onmessage = () => {
        log.push('handler')
        throw new Error('first')
      }
      b.addEventListener('message', () => {
        log.push('listener')
        throw new Error('second')
      })
      b.addEventListener('message', () => log.push('last listener'))
      b.onerror = ({ message }) => log.push(message)
      a.send('1')
      await quiet()
      expect(log).toEqual(['handler', 'listener', 'last listener', 'Uncaught Error: first'])
    })
    it('names its error in the error event', async () => {
      const seen: unknown[] = []
      for (const error of [new RangeError('mine'), 'a string']) {
        const [a, b] = open(Pair)
        throwAt(b, 'message', error)
        b.onerror = (event) => seen.push(event.message, event.error instanceof Error, (event.error as Error).message)
        a.send('1')
        await quiet()
      }
      expect(seen).toEqual(['Uncaught RangeError: mine', true, 'mine', 'Uncaught Error: a string', true, 'a string'])
    })
    it('does not take back what it sent before', async () => {
      const [a, b, log] = watch(Pair)
      b.addEventListener('message', () => {
        b.send('r1')
        b.send('r2')
      })
      throwAt(b, 'message')
      a.send('1')
      await quiet()
      // at which point b hears of its error differs between a Worker and a Durable Object
      expect(log.filter((line) => line.startsWith('a'))).toEqual([
        'a message r1 (1)',
        'a message r2 (1)',
        `a ${WENT_AWAY} (1)`,
      ])
      expect(log).toContain('b error Uncaught Error: boom (3)')
    })
    it('after it closed: the close arrives, its answer does not', async () => {
      const [a, b, log] = watch(Pair)
      b.addEventListener('message', () => b.close(4005, 'done'))
      throwAt(b, 'message')
      a.send('1')
      await quiet()
      // whether a fails as well, having answered, differs between a Worker and a Durable Object
      expect(log.filter((line) => line.includes('close'))).toEqual([
        expect.stringMatching(/^a close 4005 'done' clean/),
      ])
      expect(log).toContain('b error Uncaught Error: boom (3)')
    })
    it('makes send and close do nothing on both sides afterwards', async () => {
      const [a, b] = open(Pair)
      throwAt(b, 'message')
      a.send('1')
      await quiet()
      for (const socket of [a, b]) {
        expect([thrown(() => socket.send('x')), thrown(() => socket.close(1000))]).toEqual([undefined, undefined])
      }
      expect([a.readyState, b.readyState]).toEqual([2, 3])
    })
    it('as a promise does not break the connection', async () => {
      const [a, b, log] = watch(Pair)
      // a promise that rejects but is handled: an unhandled one would end the test run
      b.addEventListener('message', () => {
        const rejected = Promise.reject(new Error('boom'))
        rejected.catch(() => {})
        return rejected
      })
      a.send('1')
      a.send('2')
      await quiet()
      expect(log).toEqual(['b message 1 (1)', 'b message 2 (1)'])
    })
    it('for a close changes nothing', async () => {
      const [a, b, log] = watch(Pair)
      throwAt(a, 'close')
      throwAt(b, 'close')
      a.close(4001)
      await quiet()
      expect(log).toEqual(["b close 4001 '' clean (3)", "a close 4001 '' clean (3)", `b ${LOST}`])
    })
    it('for an error changes nothing', async () => {
      const [a, b, log] = watch(Pair)
      throwAt(b, 'message')
      throwAt(b, 'error')
      a.send('1')
      await quiet()
      expect(log).toEqual(['b message 1 (1)', 'b error Uncaught Error: boom (3)', `a ${WENT_AWAY} (1)`])
    })
    it('on an event of one’s own making changes nothing', () => {
      const [, b] = open(Pair)
      const log: string[] = []
      b.addEventListener('custom', () => {
        throw new Error('boom')
      })
      b.addEventListener('custom', () => log.push('heard'))
      const { Event } = globalThis as unknown as { Event: new (type: string) => never }
      expect([b.dispatchEvent(new Event('custom')), log, b.readyState]).toEqual([true, ['heard'], 1])
    })
  })
}
