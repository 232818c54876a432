import { describe, expect, it } from 'vitest'
import type { Message } from './contract.ts'
import { EMPTY, type MessageList, withEarlier, withLast, withMessage } from './page/message-list.ts'

const message = (place: number): Message => ({
  id: `${place}`,
  place,
  author: { id: 'a', name: 'Ada' },
  text: `${place}`,
  at: new Date(place),
  picture: undefined,
})
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => message(first + n))
const places = ({ messages }: MessageList) => messages.map(({ place }) => place)
const list = withLast(EMPTY, { messages: from(11, 13), more: true })

describe('the messages that a page has', () => {
  it('begin with the last ones', () => {
    expect(EMPTY).toMatchObject({ loaded: false })
    expect(list).toMatchObject({ loaded: true, more: true })
    expect(places(list)).toEqual([11, 12, 13])
  })

  it('stand in their order and once each, in whatever order they come', () => {
    const answered = withMessage(list, message(16))
    const all = [message(14), message(15), message(16), message(14)].reduce(withMessage, answered)
    expect(places(all)).toEqual([11, 12, 13, 14, 15, 16])
  })

  it('are joined by older ones', () => {
    const all = withEarlier(list, { messages: from(8, 10), more: false })
    expect(places(all)).toEqual([8, 9, 10, 11, 12, 13])
    expect(all.more).toBe(false)
  })

  it('are joined by the last ones after an absence, where these reach back to them', () => {
    expect(places(withLast(list, { messages: from(14, 15), more: true }))).toEqual([11, 12, 13, 14, 15])
    expect(places(withLast(list, { messages: from(12, 15), more: true }))).toEqual([11, 12, 13, 14, 15])
  })

  it('are given up for the last ones where some would be missing in between', () => {
    const all = withLast({ ...list, more: false }, { messages: from(15, 17), more: true })
    expect(places(all)).toEqual([15, 16, 17])
    expect(all.more).toBe(true)
  })

  it('are none in an empty room', () => {
    expect(withLast(EMPTY, { messages: [], more: false })).toEqual({ messages: [], more: false, loaded: true })
    expect(places(withLast(list, { messages: [], more: false }))).toEqual([])
  })
})
