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
