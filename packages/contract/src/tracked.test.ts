import { describe, expect, it } from 'vitest'
import { cursor, Tracked, tracked } from './index.ts'

describe('tracked', () => {
  it('gives an event an id', () => {
    const event = tracked('e.1', { n: 1 })
    expect(event).toBeInstanceOf(Tracked)
    expect({ ...event }).toEqual({ id: 'e.1', data: { n: 1 }, bare: false })
  })

  it('is an event also where the event is undefined', () => {
    expect(tracked('e.1', undefined).bare).toBe(false)
  })
})

describe('cursor', () => {
  it('is an id without an event', () => {
    const position = cursor('e.0')
    expect(position).toBeInstanceOf(Tracked)
    expect({ ...position }).toEqual({ id: 'e.0', data: undefined, bare: true })
  })
})

describe('a shared event', () => {
  it('keeps what was made of it, by whoever made it', () => {
    const event = tracked('e.1', 1).share()
    const [one, other] = [{}, {}]
    event.keep(one, 'one')
    event.keep(other, 'other')
    expect([event.isShared, event.made(one), event.made(other), event.made({})]).toEqual([
      true,
      'one',
      'other',
      undefined,
    ])
  })

  it('keeps nothing once it is not shared any more, nor does one that never was', () => {
    const event = tracked('e.1', 1).share()
    event.keep('codec', 'text')
    event.unshare()
    event.keep('schema', 'event')
    expect([event.isShared, event.made('codec'), event.made('schema')]).toEqual([false, undefined, undefined])
    const plain = tracked('e.2', 2)
    plain.keep('codec', 'text')
    expect(plain.made('codec')).toBeUndefined()
  })
})
