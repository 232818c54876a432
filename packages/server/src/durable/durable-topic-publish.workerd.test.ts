import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { data, isSettled, lost, object, take } from '../../test/topics.ts'
import type { TopicEvents } from '../topic.ts'
import { durableTopic } from './durable-topic.ts'

describe('a publish', () => {
  it('that is rolled back reaches nobody, and its offset may be used again', () =>
    object().run(async (state) => {
      const { storage } = state
      const topic = durableTopic<string>(state, 'a')
      storage.sql.exec('CREATE TABLE mine (n)')
      const events = topic.subscribe()
      const next = events.next()
      const roll = (inside: () => void = () => {}) =>
        expect(() =>
          storage.transactionSync(() => {
            storage.sql.exec('INSERT INTO mine VALUES (1)')
            topic.publish('undone')
            inside()
            throw new Error('back')
          }),
        ).toThrow('back')
      const start = topic.cursor
      roll()
      expect(topic.cursor).toBe(start)
      expect(await isSettled(next)).toBe(false)
      topic.publish('one')
      roll()
      topic.publish('two')
      // One that reads, and one that begins, inside.
      let begun: TopicEvents<string> | undefined
      roll(() => {
        begun = topic.subscribe()
        expect(begun.cursor).toBe(topic.cursor)
      })
      const two = topic.cursor
      topic.publish('three')
      expect((await next).value!.data).toBe('one')
      expect(await data(events, 2)).toEqual(['two', 'three'])
      expect(await data(begun!, 1)).toEqual(['three'])
      expect(begun!.cursor).toBe(two)
      expect(await data(topic.subscribe({ lastEventId: start }), 3)).toEqual(['one', 'two', 'three'])
      expect(storage.sql.exec('SELECT count(*) AS n FROM mine').one().n).toBe(0)
    }))

  it('that is rolled back in part leaves the rest', () =>
    object().run(async (state) => {
      const { storage } = state
      const topic = durableTopic<string>(state, 'a')
      const events = topic.subscribe()
      storage.transactionSync(() => {
        topic.publish('kept')
        try {
          storage.transactionSync(() => {
            topic.publish('undone')
            topic.publish('undone')
            throw new Error('back')
          })
        } catch {}
        topic.publish('kept too')
      })
      expect(await data(events, 2)).toEqual(['kept', 'kept too'])
      expect(await isSettled(events.next())).toBe(false)
    }))

  it('is not read before its transaction has ended', () =>
    object().run(async (state) => {
      const topic = durableTopic<string>(state, 'a')
      const [events, waiting] = [topic.subscribe(), topic.subscribe()]
      let reads: Promise<unknown>[] = []
      try {
        state.storage.transactionSync(() => {
          reads = [waiting.next()]
          topic.publish('undone')
          reads.push(events.next(), topic.subscribe({ lastEventId: events.cursor }).next())
          throw new Error('back')
        })
      } catch {}
      for (const read of reads) expect(await isSettled(read)).toBe(false)
      topic.publish('one')
      for (const read of await Promise.all(reads)) expect(read).toMatchObject({ value: { data: 'one' } })
    }))

  it('can be rolled back together with the tables', () =>
    object().run(async (state) => {
      const topic = durableTopic<string>(state, 'a')
      expect(() =>
        state.storage.transactionSync(() => {
          topic.publish('undone')
          throw new Error('back')
        }),
      ).toThrow('back')
      await null
      const events = topic.subscribe()
      topic.publish('one')
      expect(await data(events, 1)).toEqual(['one'])
    }))

  it('that is rolled back after it was read is told as a loss, to those who go on', () =>
    object().run(async (state) => {
      const topic = durableTopic<string>(state, 'a')
      topic.publish('before')
      const events = topic.subscribe()
      let seen = ''
      await state.storage
        .transaction(async () => {
          topic.publish('undone')
          expect(await data(events, 1)).toEqual(['undone'])
          seen = topic.cursor
          throw new Error('back')
        })
        .catch(() => {})
      const late = events.next()
      topic.publish('one')
      await expect(late).rejects.toMatchObject({ code: 'DATA_LOSS' })
      expect(topic.cursor).not.toBe(seen)
      await lost(topic.subscribe({ lastEventId: seen }))
    }))

  it('comes from another Worker and from an alarm, also first after waking', async () => {
    const stub = env.BOARDS.getByName(crypto.randomUUID())
    const start = await stub.cursor()
    await stub.schedule()
    await evictDurableObject(stub)
    expect(await stub.publish('one')).toBe('one')
    await evictDurableObject(stub)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    const reading = stub.read(1)
    await stub.publish('two')
    expect(await reading).toEqual(['two'])
    await evictDurableObject(stub)
    expect(await stub.read(3, start)).toEqual(['one', 'alarm', 'two'])
  })

  it('in the midst of publishing keeps the order', () =>
    object().run(async (state) => {
      const topic = durableTopic<unknown>(state, 'a')
      const events = topic.subscribe()
      topic.publish({
        get inner() {
          topic.publish('inner')
          return 'outer'
        },
      })
      // The getter is asked by both of the encoder's looks, or by one.
      const [first, ...rest] = await data(events, 2)
      expect([first, rest.length]).toEqual(['inner', 1])
    }))
})

describe('a snapshot', () => {
  it('is the first event, with a position that fits, and heals a loss', async () => {
    const { run, evict } = object()
    const start = await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 3 })
      let sum = 0
      const add = (n: number) => {
        sum += n
        topic.publish(n)
      }
      const start = topic.cursor
      add(1)
      const events = topic.subscribe({ snapshot: () => sum })
      expect(events.cursor).toBeUndefined()
      add(2)
      add(3)
      expect(await data(events, 3)).toEqual([1, 2, 3])
      for (let n = 4; n < 10; n++) add(n)
      await null
      expect(await take(events, 1)).toEqual([expect.objectContaining({ id: topic.cursor, data: 45 })])
      return start
    })
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 3 })
      expect(await data(topic.subscribe({ lastEventId: start, snapshot: async () => 45 }), 1)).toEqual([45])
    })
  })

  it('that was taken in what was rolled back is followed by what came instead', () =>
    object().run(async (state) => {
      const topic = durableTopic<string>(state, 'a')
      const start = topic.cursor
      let events: TopicEvents<string> | undefined
      try {
        state.storage.transactionSync(() => {
          topic.publish('undone')
          events = topic.subscribe({ snapshot: () => 'state' })
          throw new Error('back')
        })
      } catch {}
      topic.publish('one')
      const [first, second] = await take(events!, 2)
      expect([first!.id, first!.data, second!.data]).toEqual([start, 'state', 'one'])
    }))
})
