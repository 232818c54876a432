import { beforeEach, describe, expect, it } from 'vitest'
import { arrivals, open, type PairClass, quiet, textArrivals, thrown } from './harness.ts'

interface BlobLike {
  readonly type: string
  arrayBuffer(): Promise<ArrayBuffer>
}
const {
  Blob,
  SharedArrayBuffer: Shared,
  structuredClone,
} = globalThis as unknown as {
  Blob: new (parts: string[]) => BlobLike
  SharedArrayBuffer?: new (size: number) => ArrayBuffer
  structuredClone: (value: unknown, options: { transfer: unknown[] }) => unknown
}

/** What arrives of what is sent. */
export function messages(Pair: PairClass): void {
  describe('text', () => {
    it('arrives as it was, also empty, with null characters, a byte order mark and characters beyond the BMP', async () => {
      const texts = ['hello', '', 'a\0b', '\uFEFFx', 'é€\u{1F600}']
      expect(await textArrivals(Pair, ...texts)).toEqual(texts)
    })
    it('has three replacement characters in place of a lone surrogate', async () => {
      expect(await textArrivals(Pair, 'x\uD800y', '\uDC00')).toEqual(['x\uFFFD\uFFFD\uFFFDy', '\uFFFD\uFFFD\uFFFD'])
    })
    it('does not join surrogates of two messages', async () => {
      const lone = '\uFFFD\uFFFD\uFFFD'
      expect(await textArrivals(Pair, '\uD83D', '\uDE00')).toEqual([lone, lone])
    })
    it('of a million characters arrives whole', async () => {
      const text = 'x'.repeat(1_000_000)
      expect((await textArrivals(Pair, text))[0] === text).toBe(true)
    })
  })

  describe('everything that is neither text nor bytes becomes text', () => {
    it('numbers, booleans, null, undefined, bigints', async () => {
      expect(await textArrivals(Pair, 5, true, null, undefined, 10n)).toEqual(['5', 'true', 'null', 'undefined', '10'])
    })
    it('objects and arrays', async () => {
      expect(await textArrivals(Pair, { a: 1 }, [1, [2]], Object('boxed'))).toEqual(['[object Object]', '1,2', 'boxed'])
    })
    it('by toString before valueOf, and with the hint string', async () => {
      const both = { valueOf: () => 7, toString: () => 'text' }
      const hinted = { [Symbol.toPrimitive]: (hint: string) => hint }
      expect(await textArrivals(Pair, both, hinted)).toEqual(['text', 'string'])
    })
    it('a Blob too', async () => {
      expect(await textArrivals(Pair, new Blob(['abc']))).toEqual(['[object Blob]'])
    })
    it('but not a symbol, an object without a primitive value, or nothing at all', () => {
      const [a] = open(Pair)
      expect(() => a.send(Symbol('x') as never)).toThrow(TypeError)
      expect(() => a.send(Object.create(null))).toThrow(TypeError)
      expect(thrown(() => (a.send as () => void)())).toBe(
        "TypeError: Failed to execute 'send' on 'WebSocket': parameter 1 is not of type 'ArrayBuffer or ArrayBufferView or string'.",
      )
    })
    it('and what its toString throws, send throws', () => {
      const [a] = open(Pair)
      const bad = {
        toString() {
          throw new RangeError('mine')
        },
      }
      expect(thrown(() => a.send(bad as never))).toBe('RangeError: mine')
    })
  })

  describe('bytes', () => {
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
    it('of a buffer arrive as an ArrayBuffer when asked', async () => {
      expect(await arrivals(Pair, (socket) => socket.send(bytes.buffer))).toEqual([[...bytes]])
    })
    it('of a view are only those it shows', async () => {
      const views = [bytes.subarray(2, 4), new DataView(bytes.buffer, 1, 3), new Uint16Array(bytes.buffer, 2, 2)]
      const seen = await arrivals(Pair, (socket) => views.forEach((view) => void socket.send(view)))
      expect(seen).toEqual([
        [3, 4],
        [2, 3, 4],
        [3, 4, 5, 6],
      ])
    })
    it('may be none', async () => {
      const send = (socket: { send(message: ArrayBuffer | Uint8Array): void }) => {
        socket.send(new ArrayBuffer(0))
        socket.send(new Uint8Array(0))
      }
      expect(await arrivals(Pair, send)).toEqual([[], []])
    })
    it('are none in a detached buffer and its views', async () => {
      const view = new Uint8Array(4)
      structuredClone(view.buffer, { transfer: [view.buffer] })
      const send = (socket: { send(message: ArrayBuffer | Uint8Array): void }) => {
        socket.send(view)
        socket.send(view.buffer)
      }
      expect(await arrivals(Pair, send)).toEqual([[], []])
    })
    it.skipIf(Shared === undefined)('may be shared memory', async () => {
      const shared = new (Shared as new (size: number) => ArrayBuffer)(2)
      const send = (socket: { send(message: ArrayBuffer | Uint8Array): void }) => {
        socket.send(shared)
        socket.send(new Uint8Array(shared))
      }
      expect(await arrivals(Pair, send)).toEqual([
        [0, 0],
        [0, 0],
      ])
    })
    it('are those at the time of send, and stay with the sender', async () => {
      const own = new Uint8Array([1, 2])
      const send = (socket: { send(message: Uint8Array): void }) => {
        socket.send(own)
        own[0] = 9
        socket.send(own)
        own[1] = 9
      }
      expect(await arrivals(Pair, send)).toEqual([
        [1, 2],
        [9, 2],
      ])
      expect(own.byteLength).toBe(2)
    })
    it('arrive as a Blob without a type by default', async () => {
      const [blob] = (await arrivals(Pair, (socket) => socket.send(bytes.subarray(0, 3)), 'blob')) as [BlobLike]
      expect([blob instanceof Blob, blob.type]).toEqual([true, ''])
      expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([1, 2, 3])
    })
    it('follow the binaryType at the time of delivery', async () => {
      const [a, b] = open(Pair)
      const kinds: string[] = []
      b.addEventListener('message', (event) => {
        kinds.push(event.data.constructor.name)
        b.binaryType = 'arraybuffer'
      })
      a.send(bytes)
      a.send(bytes)
      await quiet()
      expect(kinds).toEqual(['Blob', 'ArrayBuffer'])
    })
    it('are the same object for all listeners of one message', async () => {
      const [a, b] = open(Pair)
      const seen: unknown[] = []
      b.addEventListener('message', (event) => seen.push(event.data))
      b.addEventListener('message', (event) => seen.push(event.data))
      a.send(bytes)
      await quiet()
      expect(seen[0]).toBe(seen[1])
    })
  })

  describe('bufferedAmount', () => {
    beforeEach((context) => context.skip(!('bufferedAmount' in new Pair()[0]), 'workerd has it from 1.20261117'))

    it('counts bytes, texts in UTF-8', () => {
      const { 0: a } = new Pair()
      a.accept()
      const amounts = ['', 'é', '\u{1F600}', '\uD800', new Uint8Array(5).subarray(1), 5].map((message) => {
        a.send(message as string)
        return a.bufferedAmount
      })
      expect(amounts).toEqual([0, 2, 6, 9, 13, 14])
    })
    it('goes down as messages are handed over', async () => {
      const [a, b] = open(Pair)
      const amounts: number[] = []
      b.addEventListener('message', () => amounts.push(a.bufferedAmount))
      for (const text of ['123', '4567', '89']) a.send(text)
      amounts.push(a.bufferedAmount)
      await quiet()
      expect([...amounts, a.bufferedAmount]).toEqual([9, 6, 2, 0, 0])
    })
    it('stays until the other end is accepted', async () => {
      const { 0: a, 1: b } = new Pair()
      a.accept()
      a.send('12345')
      await quiet()
      const before = a.bufferedAmount
      b.accept()
      await quiet()
      expect([before, a.bufferedAmount]).toEqual([5, 0])
    })
    it('leaves close frames out, and the other direction', () => {
      const [a, b] = open(Pair)
      b.send('abc')
      a.close(4000, 'reason')
      expect([a.bufferedAmount, b.bufferedAmount]).toEqual([0, 3])
    })
  })
}
