import { describe, expect, it } from 'vitest'
import { data, measure, numbers, object } from '../../test/topics.ts'
import { durableTopic } from './durable-topic.ts'

describe('what it costs', () => {
  it('is one row written for an event, and one more when it is deleted', () =>
    object().run(async (state) => {
      const topic = durableTopic<object>(state, 'a', { retain: 100 })
      const first = await measure(state, () => topic.publish({ text: 'hello', at: new Date() }))
      expect(first.written).toBeGreaterThan(1)
      const events = topic.subscribe()
      const publish = async () => {
        topic.publish({ text: 'hello', bytes: new Uint8Array(100) })
        await events.next()
      }
      await publish()
      expect(await measure(state, publish)).toEqual({ statements: 3, written: 1, read: 6, pages: 0 })
      for (let n = 3; n < 100; n++) await publish()
      const steady = await measure(state, async () => {
        for (let n = 0; n < 640; n++) await publish()
      })
      expect([steady.written, steady.pages]).toEqual([640 + 640, 0])
      expect(steady.read).toBeLessThan(640 * 11)
    }))

  it('is nothing for a topic that is not used, and a few rows for one that is, however long it is', async () => {
    const { run, evict } = object()
    const options = { retain: 4_000, bytes: 200_000, age: 86_400_000 }
    await run((state) => {
      const topic = durableTopic<number>(state, 'a', options)
      for (const n of numbers(1, 6_000)) topic.publish(n)
    })
    await evict()
    await run(async (state) => {
      expect(await measure(state, () => durableTopic<number>(state, 'a', options))).toMatchObject({ statements: 0 })
      const topic = durableTopic<number>(state, 'a', options)
      const used = await measure(state, () => topic.cursor)
      expect(used.written).toBe(0)
      expect(used.read).toBeLessThan(10)
    })
    // Also where most of it has to go.
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { ...options, bytes: 1_000 })
      const used = await measure(state, () => topic.cursor)
      expect(used.read).toBeLessThan(100)
      expect(used.statements).toBeLessThan(50)
    })
  })

  it('is one look for many who take their places together, as when an object wakes up', async () => {
    const { run, evict } = object()
    const cursor = await run((state) => {
      const topic = durableTopic<number>(state, 'a')
      topic.publish(1)
      const { cursor } = topic
      topic.publish(2)
      return cursor
    })
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const subscribe = (count: number) => numbers(1, count).map(() => topic.subscribe({ lastEventId: cursor }))
      subscribe(1)
      await undefined
      const { statements, read } = await measure(state, () => subscribe(1_000))
      expect(statements).toBe(1)
      expect(read).toBeLessThan(10)

      // What was published in this turn, and undone, is not where anybody stands.
      expect(topic.cursor.endsWith('.2')).toBe(true)
      expect(() =>
        state.storage.transactionSync(() => {
          topic.publish(3)
          expect(topic.cursor.endsWith('.3')).toBe(true)
          throw new Error('undone')
        }),
      ).toThrow('undone')
      const [reader] = subscribe(1)
      expect(topic.cursor.endsWith('.2')).toBe(true)
      topic.publish(4)
      expect(await data(reader!, 2)).toEqual([2, 4])
    })
  })

  it('is another look where the log itself is undone', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const undone: string[] = []
      expect(() =>
        state.storage.transactionSync(() => {
          undone.push(topic.cursor, topic.cursor)
          throw new Error('undone')
        }),
      ).toThrow('undone')
      const reader = topic.subscribe()
      expect(undone).not.toContain(topic.cursor)
      topic.publish(1)
      expect(await data(reader, 1)).toEqual([1])
    }))

  it('is a page for many events that are replayed, not a read for each', async () => {
    const { run, evict } = object()
    const start = await run((state) => {
      const topic = durableTopic<number>(state, 'a')
      const start = topic.cursor
      for (const n of numbers(1, 10_000)) topic.publish(n)
      return start
    })
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const cost = await measure(state, async () =>
        expect(await data(topic.subscribe({ lastEventId: start }), 10_000)).toEqual(numbers(1, 10_000)),
      )
      expect(cost.pages).toBe(Math.ceil(10_000 / 64))
      expect(cost.read).toBeLessThan(11_000)
      // Together, readers need no more pages than one.
      const many = await measure(state, () =>
        Promise.all(numbers(1, 10).map(() => data(topic.subscribe({ lastEventId: start }), 1_000))),
      )
      expect(many.pages).toBe(Math.ceil(1_000 / 64))
    })
  })

  it('is bounded memory also where events are large', async () => {
    const { run, evict } = object()
    const start = await run((state) => {
      const topic = durableTopic<Uint8Array>(state, 'a')
      const start = topic.cursor
      for (const n of numbers(1, 100)) topic.publish(new Uint8Array(100_000).fill(n))
      return start
    })
    await evict()
    await run(async (state) => {
      const topic = durableTopic<Uint8Array>(state, 'a')
      const events = topic.subscribe({ lastEventId: start })
      const cost = await measure(state, async () => {
        for (const n of numbers(1, 100)) expect((await events.next()).value!.data[0]).toBe(n)
      })
      // Three at a time: each page ends with the event that passes 256 KiB.
      expect(cost.pages).toBe(34)
    })
  })

  it('is no memory for names that are not used any more', { timeout: 60_000 }, () =>
    object().run(async (state) => {
      const use = async (name: string) => {
        const topic = durableTopic<string>(state, name)
        const events = topic.subscribe()
        topic.publish(name)
        expect(await data(events, 1)).toEqual([name])
        return new WeakRef(topic)
      }
      const refs: WeakRef<object>[] = []
      for (let n = 0; n < 500; n++) refs.push(await use(`document ${n}`))
      for (let tries = 0; tries < 500 && refs.some((ref) => ref.deref()); tries++) {
        await new Promise((resolve) => setTimeout(resolve))
        new Uint8Array(16_000_000).fill(tries)
      }
      expect(refs.filter((ref) => ref.deref())).toEqual([])
      // They are found again.
      for (let n = 0; n < 500; n++) expect(durableTopic(state, `document ${n}`).cursor.endsWith('.1')).toBe(true)
    }),
  )
})
