import { describe, expect, it } from 'vitest'
import { open, type PairClass, quiet, record } from './harness.ts'

declare function queueMicrotask(task: () => void): void

/** When things arrive. */
export function order(Pair: PairClass): void {
  describe('delivery', () => {
    it('keeps the order of send', async () => {
      const [a, b] = open(Pair)
      const seen: string[] = []
      b.addEventListener('message', (event) => seen.push(event.data))
      const sent = Array.from({ length: 200 }, (_, i) => String(i))
      for (const text of sent) a.send(text)
      while (seen.length < sent.length) await quiet()
      expect(seen).toEqual(sent)
    })
    it('happens after the running code and after all microtasks', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      b.addEventListener('message', () => log.push('message'))
      a.send('x')
      log.push('running code')
      for (let i = 0; i < 200; i++) await null
      log.push('200 microtasks')
      await quiet()
      expect(log).toEqual(['running code', '200 microtasks', 'message'])
    })
    it('runs the microtasks of one message before the next', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      b.addEventListener('message', ({ data }) => {
        log.push(`message ${data}`)
        queueMicrotask(() => log.push(`microtask ${data}`))
      })
      a.send('1')
      a.send('2')
      await quiet()
      expect(log).toEqual(['message 1', 'microtask 1', 'message 2', 'microtask 2'])
    })
    it('never happens within send, even when the other end has long been waiting', async () => {
      const [a, b] = open(Pair)
      let within = false
      let count = 0
      b.addEventListener('message', () => {
        count++
        expect(within).toBe(false)
      })
      await quiet()
      within = true
      a.send('x')
      within = false
      await quiet()
      expect(count).toBe(1)
    })
    it('brings an answer before the next message of the same sender', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      b.addEventListener('message', ({ data }) => {
        log.push(`b ${data}`)
        b.send(`re ${data}`)
      })
      a.addEventListener('message', ({ data }) => log.push(`a ${data}`))
      a.send('1')
      a.send('2')
      await quiet()
      expect(log).toEqual(['b 1', 'a re 1', 'b 2', 'a re 2'])
    })
    it('lets both directions take turns', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      a.addEventListener('message', ({ data }) => log.push(`a ${data}`))
      b.addEventListener('message', ({ data }) => log.push(`b ${data}`))
      a.send('1')
      a.send('2')
      b.send('1')
      b.send('2')
      await quiet()
      expect(log).toEqual(['b 1', 'a 1', 'b 2', 'a 2'])
    })
    it('lets several pairs take turns', async () => {
      const log: string[] = []
      const senders = ['x', 'y'].map((name) => {
        const [a, b] = open(Pair)
        b.addEventListener('message', ({ data }) => log.push(`${name} ${data}`))
        return a
      })
      for (const sender of senders) for (const text of ['1', '2']) sender.send(text)
      await quiet()
      expect(log).toEqual(['x 1', 'y 1', 'x 2', 'y 2'])
    })
  })

  describe('before accept', () => {
    it('messages wait', async () => {
      const { 0: a, 1: b } = new Pair()
      const log: string[] = []
      record('b', b, log)
      a.accept()
      a.send('1')
      a.send('2')
      await quiet()
      log.push('accept')
      b.accept()
      log.push('accepted')
      await null
      log.push('microtask')
      await quiet()
      expect(log).toEqual(['accept', 'accepted', 'microtask', 'b message 1 (1)', 'b message 2 (1)'])
    })
    it('messages and a close wait', async () => {
      const { 0: a, 1: b } = new Pair()
      const log: string[] = []
      record('b', b, log)
      a.accept()
      a.send('1')
      a.close(4000, 'bye')
      await quiet()
      const before = [a.readyState, b.readyState]
      b.accept({ allowHalfOpen: true })
      expect(b.readyState).toBe(1)
      await quiet()
      expect(before).toEqual([2, 1])
      expect(log).toEqual(['b message 1 (1)', "b close 4000 'bye' clean (2)"])
    })
    it('a listener added in the same turn as accept, even after a few microtasks, misses nothing', async () => {
      const { 0: a, 1: b } = new Pair()
      const log: string[] = []
      a.accept()
      a.send('1')
      b.accept()
      await null
      await null
      record('b', b, log)
      await quiet()
      expect(log).toEqual(['b message 1 (1)'])
    })
    it('but what arrives after accept with nobody listening is gone', async () => {
      const [a, b] = open(Pair)
      const log: string[] = []
      a.send('1')
      await quiet()
      record('b', b, log)
      a.send('2')
      await quiet()
      expect(log).toEqual(['b message 2 (1)'])
    })
    it('an end may send as soon as it is accepted itself, and be accepted in any order', async () => {
      const { 0: a, 1: b } = new Pair()
      const log: string[] = []
      record('a', a, log)
      b.accept()
      b.send('early')
      await quiet()
      a.accept()
      await quiet()
      expect(log).toEqual(['a message early (1)'])
    })
  })
}
