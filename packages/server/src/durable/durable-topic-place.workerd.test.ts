import { describe, expect, it } from 'vitest'
import { data, lost, numbers, object } from '../../test/topics.ts'
import { durableTopic } from './durable-topic.ts'
import { placesOf } from './places.ts'

describe('a place', () => {
  /** A signal with the id that a subscription is to go on behind, and where its reader stands. */
  const placed = (id: string | undefined) => {
    const { signal } = new AbortController()
    const stood: { topic: string; position: () => string | undefined }[] = []
    const taken: string[] = []
    const moved: string[] = []
    placesOf.set(signal, {
      take(topic) {
        taken.push(topic)
        const once = id
        id = undefined
        return once
      },
      stand(topic, position) {
        stood.push({ topic, position })
        return () => moved.push(topic)
      },
    })
    return { signal, stood, taken, moved }
  }

  it('is where a subscription goes on that has no id', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      topic.publish(1)
      const id = topic.cursor
      topic.publish(2)
      const { signal, taken, stood } = placed(id)
      const events = topic.subscribe({ signal })
      expect([events.cursor, taken, stood.map(({ topic }) => topic)]).toEqual([id, ['a'], ['a']])
      expect(await data(events, 1)).toEqual([2])
      // Once.
      expect(topic.subscribe({ signal }).cursor).toBe(topic.cursor)
    }))

  it('gives way to an id', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      topic.publish(1)
      const id = topic.cursor
      topic.publish(2)
      const { signal, taken } = placed(topic.cursor)
      expect(topic.subscribe({ signal, lastEventId: id }).cursor).toBe(id)
      expect(taken).toEqual([])
    }))

  it('that is gone is a loss, or a snapshot', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      await lost(topic.subscribe({ signal: placed('gone.1').signal }))
      expect(await data(topic.subscribe({ signal: placed('gone.1').signal, snapshot: () => 7 }), 1)).toEqual([7])
    }))

  it('is behind the last event that was consumed', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const { signal, stood, moved } = placed(undefined)
      const events = topic.subscribe({ signal })
      const { position } = stood[0]!
      const start = topic.cursor
      expect(position()).toBe(start)
      const ids = numbers(1, 3).map((n) => [topic.publish(n), topic.cursor][1])
      const first = events.next()
      expect(position()).toBe(start)
      await first
      expect(position()).toBe(start)
      await events.next()
      expect(position()).toBe(ids[0])
      await events.next()
      expect(position()).toBe(ids[1])
      void events.next()
      expect(position()).toBe(ids[2])
      void events.next()
      expect(position()).toBe(ids[2])
      // Told each time, and only then.
      expect(moved).toEqual(['a', 'a', 'a'])
    }))

  it('is none before a snapshot was consumed', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      topic.publish(1)
      const { signal, stood } = placed(undefined)
      const events = topic.subscribe({ signal, snapshot: () => 1 })
      const { position } = stood[0]!
      expect(position()).toBeUndefined()
      await events.next()
      expect(position()).toBeUndefined()
      void events.next()
      expect(position()).toBe(topic.cursor)
    }))

  it('is none of a signal that nobody keeps places for', () =>
    object().run((state) => {
      const topic = durableTopic<number>(state, 'a')
      expect(topic.subscribe({ signal: new AbortController().signal }).cursor).toBe(topic.cursor)
    }))
})
