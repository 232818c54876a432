import { describe, expect, it } from 'vitest'
import { open, type PairClass, thrown } from './harness.ts'

/** `serializeAttachment` and `deserializeAttachment`. */
export function attachments(Pair: PairClass): void {
  function kept(value: unknown): unknown {
    const socket = new Pair()[0]
    socket.serializeAttachment(value)
    return socket.deserializeAttachment()
  }

  describe('an attachment', () => {
    it('is null at first', () => {
      expect(new Pair()[0].deserializeAttachment()).toBeNull()
    })
    it('is what was kept last', () => {
      const socket = new Pair()[0]
      socket.serializeAttachment(1)
      socket.serializeAttachment({ user: 'ada' })
      expect(socket.deserializeAttachment()).toEqual({ user: 'ada' })
    })
    it('may be undefined and null', () => {
      expect([kept(undefined), kept(null)]).toEqual([undefined, null])
    })
    it('keeps dates, maps, sets, bytes, errors and circles', () => {
      const value = { at: new Date(0), map: new Map([[1, new Set(['x'])]]), bytes: new Uint8Array([1, 2]), big: 5n }
      expect(kept(value)).toEqual(value)
      expect(kept(new TypeError('mine'))).toBeInstanceOf(TypeError)
      const circle: { self?: unknown } = {}
      circle.self = circle
      const copy = kept(circle) as typeof circle
      expect(copy.self).toBe(copy)
    })
    it('is a copy when it goes in, and a new copy each time it comes out', () => {
      const socket = new Pair()[0]
      const value = { count: 1 }
      socket.serializeAttachment(value)
      value.count = 2
      const first = socket.deserializeAttachment()
      first.count = 3
      expect(socket.deserializeAttachment()).toEqual({ count: 1 })
    })
    it('belongs to one end', () => {
      const { 0: a, 1: b } = new Pair()
      a.serializeAttachment('mine')
      expect(b.deserializeAttachment()).toBeNull()
    })
    it('can be changed before accept and after close', () => {
      const [a] = open(Pair)
      a.close()
      a.serializeAttachment('late')
      expect(a.deserializeAttachment()).toBe('late')
    })
    it('cannot be a function or a symbol', () => {
      for (const value of [() => 1, Symbol('x'), { nested: () => 1 }]) {
        expect(thrown(() => kept(value))).toMatch(/^DataCloneError: /)
      }
    })
    it('cannot be left out', () => {
      const { 0: socket } = new Pair()
      expect(thrown(() => (socket.serializeAttachment as () => void)())).toBe(
        "TypeError: Failed to execute 'serializeAttachment' on 'WebSocket': parameter 1 is not of type 'Value'.",
      )
    })
    it('takes at most 16384 bytes, and one that is too large leaves the old one', () => {
      const socket = new Pair()[0]
      socket.serializeAttachment('x'.repeat(16379))
      expect(thrown(() => socket.serializeAttachment('x'.repeat(16380)))).toBe(
        "Error: A WebSocket 'attachment' cannot be larger than 16384 bytes.'attachment' was 16385 bytes.",
      )
      expect(socket.deserializeAttachment().length).toBe(16379)
    })
    it('is measured in the format of V8', () => {
      const long = 'x'.repeat(17000)
      const values: [value: unknown, bytes: number][] = [
        ['€'.repeat(8190), 16386],
        [new Uint8Array(16380), 16391],
        [[null, long], 17012],
        [[true, 1, 2 ** 31, 1.5, -1, long], 17034],
        [{ a: { b: [] }, c: {}, long }, 17035],
        [[5n, 0n, new Date(0), long], 17032],
        [[new Map([[1, 2]]), new Set([1]), long], 17023],
        [[/x/gi, 'a€', '', long], 17025],
        [[new Uint8Array(8).subarray(2, 4), new ArrayBuffer(4), long], 17032],
      ]
      const sizes = values.map(([value]) => /was (\d+) bytes/.exec(thrown(() => kept(value)) ?? '')?.[1])
      expect(sizes).toEqual(values.map(([, bytes]) => String(bytes)))
    })
    it('counts what occurs twice once', () => {
      const shared = { text: 'x'.repeat(9000) }
      expect(thrown(() => kept([shared, shared]))).toBeUndefined()
    })
  })
}
