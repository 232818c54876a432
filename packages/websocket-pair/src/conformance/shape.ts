import { describe, expect, it } from 'vitest'
import { open, type PairClass, thrown } from './harness.ts'

/** What a pair and a socket look like before anything is sent. */
export function shape(Pair: PairClass): void {
  describe('the pair', () => {
    it('has its sockets at 0 and 1, and nothing else of its own', () => {
      expect(Object.keys(new Pair())).toEqual(['0', '1'])
    })
    it('gives the same socket each time', () => {
      const pair = new Pair()
      expect(pair[0]).toBe(pair[0])
      expect(pair[0]).not.toBe(pair[1])
    })
    it('gives its sockets to Object.values, in order', () => {
      const pair = new Pair()
      const [one, two] = Object.values(pair)
      expect(one === pair[0] && two === pair[1]).toBe(true)
    })
    it('gives its sockets to a loop, in order', () => {
      const pair = new Pair()
      const [one, two, ...more] = pair
      expect([one === pair[0], two === pair[1], more.length]).toEqual([true, true, 0])
    })
    it('does not let its sockets be replaced', () => {
      const pair = new Pair() as { 0: unknown }
      expect(() => {
        pair[0] = null
      }).toThrow(TypeError)
      const { writable, enumerable } = Object.getOwnPropertyDescriptor(pair, '0') ?? {}
      expect({ writable, enumerable }).toEqual({ writable: false, enumerable: true })
    })
    it('takes other properties', () => {
      expect(Object.assign(new Pair(), { extra: 1 }).extra).toBe(1)
    })
    it('needs new', () => {
      expect(() => (Pair as unknown as () => unknown)()).toThrow(TypeError)
    })
    it('is called WebSocketPair', () => {
      expect([Pair.name, String(new Pair())]).toEqual(['WebSocketPair', '[object WebSocketPair]'])
    })
    it('can be extended', () => {
      class Extended extends Pair {
        readonly extra = 1
      }
      const pair = new Extended()
      expect([pair instanceof Pair, pair.extra, pair[1].readyState]).toEqual([true, 1, 1])
    })
  })

  describe('a socket', () => {
    it('is an EventTarget', () => {
      const { EventTarget } = globalThis as unknown as { EventTarget: new () => unknown }
      expect(new Pair()[0]).toBeInstanceOf(EventTarget)
    })
    it('is a [object WebSocket] without properties of its own', () => {
      const socket = new Pair()[0]
      expect([String(socket), Object.keys(socket)]).toEqual(['[object WebSocket]', []])
    })
    it('has no address, protocol or extensions', () => {
      const { url, protocol, extensions } = new Pair()[0]
      expect({ url, protocol, extensions }).toEqual({ url: null, protocol: '', extensions: '' })
    })
    it('has the constants of the phases, under both names, on instance and class', () => {
      const phases = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
      const socket = new Pair()[0]
      for (const [name, value] of Object.entries(phases)) {
        for (const holder of [socket, socket.constructor] as unknown as Record<string, unknown>[]) {
          expect([name, holder[name], holder[`READY_STATE_${name}`]]).toEqual([name, value, value])
        }
      }
    })
    it('keeps its constants and its state from being changed', () => {
      const socket = new Pair()[0] as unknown as { OPEN: number; readyState: number }
      for (const name of ['OPEN', 'readyState'] as const) {
        expect(() => {
          socket[name] = 7
        }).toThrow(TypeError)
      }
    })
    it('cannot be made alone', () => {
      const Socket = new Pair()[0].constructor as new () => unknown
      expect(() => new Socket()).toThrow(TypeError)
    })
    it('cannot lend its methods to another object', () => {
      const { send } = new Pair()[0]
      expect(() => send.call({} as never, 'x')).toThrow(TypeError)
    })
    it('is open from the beginning', () => {
      expect(new Pair()[0].readyState).toBe(1)
    })
    it('has no on… handlers at first', () => {
      const { onopen, onmessage, onclose, onerror } = new Pair()[0]
      expect([onopen, onmessage, onclose, onerror]).toEqual([undefined, undefined, undefined, undefined])
    })
    it('takes bytes as blobs at first', () => {
      expect(new Pair()[0].binaryType).toBe('blob')
    })
    it('ignores a binaryType that does not exist', () => {
      const socket = new Pair()[0]
      socket.binaryType = 'arraybuffer'
      for (const value of ['text', 5, null]) socket.binaryType = value as 'blob'
      expect(socket.binaryType).toBe('arraybuffer')
    })
  })

  describe('accept', () => {
    it('returns nothing, and may be called twice', () => {
      const socket = new Pair()[0]
      expect([socket.accept(), socket.accept(), socket.readyState]).toEqual([undefined, undefined, 1])
    })
    it('takes an object, null or nothing', () => {
      for (const options of [{}, null, undefined, { allowHalfOpen: true }]) {
        expect(thrown(() => new Pair()[0].accept(options))).toBeUndefined()
      }
    })
    it('refuses any other options with a TypeError', () => {
      for (const options of ['x', 5, true]) {
        expect(thrown(() => new Pair()[0].accept(options as never))).toBe(
          "TypeError: Failed to execute 'accept' on 'WebSocket': parameter 1 is not of type 'AcceptOptions'.",
        )
      }
    })
    it('comes before send and close, or they throw a TypeError', () => {
      const message =
        'TypeError: You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.'
      const socket = new Pair()[0]
      expect(thrown(() => socket.send('x'))).toBe(message)
      expect(thrown(() => socket.close())).toBe(message)
      expect(thrown(() => socket.close(1000, 'x'))).toBe(message)
    })
    it('of one end lets that end send', () => {
      const { 0: a } = new Pair()
      a.accept()
      expect(thrown(() => a.send('x'))).toBeUndefined()
    })
    it('changes nothing in readyState', () => {
      const [a, b] = open(Pair)
      expect([a.readyState, b.readyState]).toEqual([1, 1])
    })
  })
}
