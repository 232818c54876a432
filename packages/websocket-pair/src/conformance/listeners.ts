import { describe, expect, it } from 'vitest'
import type { AbortSignalLike } from '../listener.ts'
import type { PairSocket } from '../socket.ts'
import { open, type PairClass, quiet, thrown } from './harness.ts'

interface EventLike {
  readonly type: string
}
const { AbortController, Event, MessageEvent, CloseEvent } = globalThis as unknown as {
  AbortController: new () => { abort(): void; readonly signal: AbortSignalLike }
  Event: new (type: string) => never
  MessageEvent: new (type: string, init: object) => never
  CloseEvent?: new (type: string) => EventLike
}

/** Who hears what. */
export function listeners(Pair: PairClass): void {
  /** What `b` writes to the log while `a` sends 1 and 2. */
  async function hear(listen: (b: PairSocket, log: unknown[]) => void): Promise<unknown[]> {
    const [a, b] = open(Pair)
    const log: unknown[] = []
    listen(b, log)
    a.send('1')
    a.send('2')
    await quiet()
    return log
  }

  describe('addEventListener', () => {
    it('adds the same listener once', async () => {
      const log = await hear((b, log) => {
        const listener = (event: { data: string }) => log.push(event.data)
        b.addEventListener('message', listener)
        b.addEventListener('message', listener)
      })
      expect(log).toEqual(['1', '2'])
    })
    it('calls listeners in the order they were added, with the socket as this', async () => {
      const log = await hear((b, log) => {
        b.addEventListener('message', function (this: unknown) {
          log.push(`one ${this === b}`)
        })
        b.addEventListener('message', () => log.push('two'))
      })
      expect(log).toEqual(['one true', 'two', 'one true', 'two'])
    })
    it('takes an object with handleEvent, and calls that on the object', async () => {
      const log = await hear((b, log) => {
        const object = {
          handleEvent(event: { data: string }) {
            log.push(`${event.data} ${this === object}`)
          },
        }
        b.addEventListener('message', object)
      })
      expect(log).toEqual(['1 true', '2 true'])
    })
    it('calls a once listener once', async () => {
      const log = await hear((b, log) => {
        b.addEventListener('message', (event) => log.push(event.data), { once: true })
      })
      expect(log).toEqual(['1'])
    })
    it('drops a listener when its signal aborts', async () => {
      const log = await hear((b, log) => {
        const controller = new AbortController()
        const { signal } = controller
        b.addEventListener(
          'message',
          (event) => {
            log.push(event.data)
            controller.abort()
          },
          { signal },
        )
      })
      expect(log).toEqual(['1'])
    })
    it('adds nothing when the signal has aborted already', async () => {
      const log = await hear((b, log) => {
        const controller = new AbortController()
        controller.abort()
        b.addEventListener('message', (event) => log.push(event.data), { signal: controller.signal })
      })
      expect(log).toEqual([])
    })
    it('ignores null and undefined', () => {
      const socket = new Pair()[0]
      expect(thrown(() => socket.addEventListener('message', null))).toBeUndefined()
      expect(thrown(() => socket.addEventListener('message', undefined as never))).toBeUndefined()
    })
    it('refuses what is no listener with a TypeError', () => {
      const socket = new Pair()[0]
      for (const listener of [5, 'x', {}]) {
        expect(() => socket.addEventListener('message', listener as never)).toThrow(TypeError)
      }
      expect(() => (socket.addEventListener as (type: string) => void)('message')).toThrow(TypeError)
    })
    it('refuses to capture with a TypeError', () => {
      const socket = new Pair()[0]
      expect(thrown(() => socket.addEventListener('message', () => {}, true as never))).toBe(
        'TypeError: addEventListener(): useCapture must be false.',
      )
      expect(thrown(() => socket.addEventListener('message', () => {}, { capture: true as never }))).toBe(
        'TypeError: addEventListener(): options.capture must be false.',
      )
    })
    it('does not call a listener for the event that is being told', async () => {
      const log = await hear((b, log) => {
        b.addEventListener('message', ({ data }) => {
          log.push(`old ${data}`)
          b.addEventListener('message', (event) => log.push(`new ${event.data}`), { once: true })
        })
      })
      expect(log).toEqual(['old 1', 'old 2', 'new 2'])
    })
  })

  describe('removeEventListener', () => {
    it('works within the listener', async () => {
      const log = await hear((b, log) => {
        const listener = (event: { data: string }) => {
          log.push(event.data)
          b.removeEventListener('message', listener)
        }
        b.addEventListener('message', listener)
      })
      expect(log).toEqual(['1'])
    })
    it('keeps a later listener from hearing even the event that is being told', async () => {
      const log = await hear((b, log) => {
        const later = () => log.push('later')
        b.addEventListener('message', () => {
          log.push('first')
          b.removeEventListener('message', later)
        })
        b.addEventListener('message', later)
      })
      expect(log).toEqual(['first', 'first'])
    })
    it('ignores a listener it does not know, and null', () => {
      const socket = new Pair()[0]
      expect(thrown(() => socket.removeEventListener('message', () => {}))).toBeUndefined()
      expect(thrown(() => socket.removeEventListener('message', null))).toBeUndefined()
    })
  })

  describe('an on… handler', () => {
    it('hears messages, and reads back', async () => {
      const log = await hear((b, log) => {
        const handler = (event: { data: string }) => log.push(event.data)
        b.onmessage = handler
        log.push(b.onmessage === handler)
      })
      expect(log).toEqual([true, '1', '2'])
    })
    it('comes before every listener, whenever it was set', async () => {
      const log = await hear((b, log) => {
        b.addEventListener('message', () => log.push('listener'))
        b.onmessage = () => log.push('handler')
      })
      expect(log).toEqual(['handler', 'listener', 'handler', 'listener'])
    })
    it('can be replaced, and be taken away by null', async () => {
      const log = await hear((b, log) => {
        b.onmessage = () => log.push('old')
        b.onmessage = ({ data }) => {
          log.push(`new ${data}`)
          b.onmessage = null
        }
      })
      expect(log).toEqual(['new 1'])
    })
    it('may be set to anything, but only a function is called', async () => {
      const log = await hear((b, log) => {
        b.onmessage = 5 as never
        log.push(b.onmessage)
        b.onmessage = { handleEvent: () => log.push('called') } as never
      })
      expect(log).toEqual([5])
    })
    it('is not called on the socket', async () => {
      const log = await hear((b, log) => {
        b.onmessage = function (this: unknown) {
          log.push(this === b)
        }
      })
      expect(log).toEqual([false, false])
    })
    it('hears close and error too', async () => {
      const [a, b] = open(Pair)
      const log: unknown[] = []
      a.onclose = ({ code }) => log.push(`a close ${code}`)
      b.onclose = ({ code }) => log.push(`b close ${code}`)
      b.onerror = ({ type }) => log.push(`b ${type}`)
      a.close(4000)
      await quiet()
      expect(log).toEqual(['b close 4000', 'a close 4000', 'b error'])
    })
  })

  describe('an event', () => {
    it('knows its socket, and neither bubbles nor can be cancelled', async () => {
      const log = await hear((b, log) => {
        b.addEventListener('message', (event) => {
          const { type, target, currentTarget, eventPhase, bubbles, cancelable } = event as typeof event & {
            eventPhase: number
            bubbles: boolean
            cancelable: boolean
          }
          log.push([type, target === b, currentTarget === b, eventPhase, bubbles, cancelable])
        })
      })
      expect(log[0]).toEqual(['message', true, true, 2, false, false])
    })
    it('is a MessageEvent for a message', async () => {
      const log = await hear((b, log) => b.addEventListener('message', (event) => log.push(event)))
      expect(log[0]).toBeInstanceOf(MessageEvent)
    })
    it.skipIf(CloseEvent === undefined)('is a CloseEvent for a close', async () => {
      const [a, b] = open(Pair)
      const log: unknown[] = []
      b.onclose = (event) => log.push(event)
      a.close()
      await quiet()
      expect(log[0]).toBeInstanceOf(CloseEvent)
    })
    it('stops at stopImmediatePropagation, also when the handler calls it', async () => {
      const fromListener = await hear((b, log) => {
        b.addEventListener('message', (event) => {
          log.push('one')
          event.stopImmediatePropagation()
        })
        b.addEventListener('message', () => log.push('two'))
      })
      const fromHandler = await hear((b, log) => {
        b.onmessage = (event) => {
          log.push('handler')
          event.stopImmediatePropagation()
        }
        b.addEventListener('message', () => log.push('listener'))
      })
      expect([fromListener, fromHandler]).toEqual([
        ['one', 'one'],
        ['handler', 'handler'],
      ])
    })
    it('of the type open never comes', async () => {
      const { 0: a, 1: b } = new Pair()
      const log: string[] = []
      a.onopen = () => log.push('handler')
      b.addEventListener('open', () => log.push('listener'))
      a.accept()
      b.accept()
      a.send('x')
      await quiet()
      expect(log).toEqual([])
    })
    it('of one’s own making reaches handler and listeners at once', () => {
      const [, b] = open(Pair)
      const log: string[] = []
      b.onmessage = ({ data }) => log.push(`handler ${data}`)
      b.addEventListener('message', ({ data }) => log.push(`listener ${data}`))
      b.addEventListener('custom', ({ type }) => log.push(type))
      expect(b.dispatchEvent(new MessageEvent('message', { data: 'mine' }))).toBe(true)
      expect(b.dispatchEvent(new Event('custom'))).toBe(true)
      expect(log).toEqual(['handler mine', 'listener mine', 'custom'])
    })
  })
}
