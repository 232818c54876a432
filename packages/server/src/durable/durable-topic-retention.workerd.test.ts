import { afterEach, describe, expect, it, vi } from 'vitest'
import { data, isSettled, lost, numbers, object, rows } from '../../test/topics.ts'
import { type DurableTopicOptions, durableTopic } from './durable-topic.ts'

afterEach(() => vi.restoreAllMocks())

describe('what is retained', () => {
  /** The events that can be replayed; one more is lost. */
  const replayed = async (state: DurableObjectState, options: DurableTopicOptions) => {
    const topic = durableTopic<unknown>(state, 'a', options)
    const [epoch, last] = topic.cursor.split('.') as [string, string]
    for (let after = 0; ; after++) {
      const events = topic.subscribe({ lastEventId: `${epoch}.${after}` })
      try {
        if (after === Number(last)) expect(await isSettled(events.next())).toBe(false)
        const kept = await data(events, Number(last) - after)
        // Also for who began before.
        if (after > 0) await lost(topic.subscribe({ lastEventId: `${epoch}.${after - 1}` }))
        return kept
      } catch (error) {
        expect(error).toMatchObject({ code: 'DATA_LOSS' })
      }
    }
  }
  /** Publishes and looks, in the same instance or each time in another. */
  const check = async (
    options: DurableTopicOptions,
    events: readonly unknown[],
    expected: (published: number) => readonly unknown[],
    evicts: boolean,
  ) => {
    const { run, evict } = object()
    for (const [i, event] of events.entries()) {
      await run(async (state) => {
        durableTopic<unknown>(state, 'a', options).publish(event)
        await null
        expect(await replayed(state, options)).toEqual(expected(i + 1))
      })
      if (evicts) await evict()
    }
  }

  for (const evicts of [false, true]) {
    describe(evicts ? 'by an object that sleeps' : 'by an object that is awake', () => {
      it('is as many events as are wanted, and not one more', async () => {
        for (const retain of [1, 4, 40])
          await check({ retain }, numbers(1, 2 * retain + 3), (n) => numbers(Math.max(1, n - retain + 1), n), evicts)
      })

      it('is as many bytes as are wanted, and not one more', async () => {
        // Of a hundred bytes each: 66 letters, 2 quotation marks, 32 of the row.
        const events = numbers(10, 30).map((n) => `${n}`.padEnd(66, 'x'))
        const kept = (count: number) => (n: number) => events.slice(Math.max(0, n - count), n)
        await check({ bytes: 500 }, events, kept(5), evicts)
        await check({ bytes: 499 }, events, kept(4), evicts)
        await check({ bytes: 100 }, events, kept(1), evicts)
        await check({ bytes: 1 }, events, kept(1), evicts)
      })

      it('is the newest event at least, however large, which leaves no room for others', async () => {
        const large = 'x'.repeat(5_000)
        const events = ['a', 'b', large, 'c', 'd']
        const kept = [['a'], ['a', 'b'], [large], ['c'], ['c', 'd']]
        await check({ bytes: 1_000 }, events, (n) => kept[n - 1]!, evicts)
      })

      it('is as old as is wanted, and no older', async () => {
        const { run, evict } = object()
        const now = vi.spyOn(Date, 'now')
        for (const n of numbers(1, 20)) {
          now.mockReturnValue(1_000 + n * 50)
          await run(async (state) => {
            durableTopic<unknown>(state, 'a', { age: 100 }).publish(n)
            await null
            expect(await replayed(state, { age: 100 })).toEqual(numbers(Math.max(1, n - 2), n))
          })
          if (evicts) await evict()
        }
        for (const [time, kept] of [
          [2_050, [19, 20]],
          [2_051, [20]],
          [2_100, [20]],
          [2_101, []],
        ] as const) {
          now.mockReturnValue(time)
          expect(await run((state) => replayed(state, { age: 100 }))).toEqual(kept)
          if (evicts) await evict()
        }
        now.mockReturnValue(9_000)
        await run(async (state) => {
          durableTopic<unknown>(state, 'a', { age: 100 }).publish(21)
          await null
          expect(await replayed(state, { age: 100 })).toEqual([21])
        })
      })

      it('is under all three bounds at once', async () => {
        const { run, evict } = object()
        const now = vi.spyOn(Date, 'now').mockReturnValue(0)
        const options = { retain: 3, bytes: 300, age: 100 }
        const large = 'x'.repeat(166)
        for (const [time, event, kept] of [
          [0, 'a', ['a']],
          [0, 'b', ['a', 'b']],
          [0, 'c', ['a', 'b', 'c']],
          [0, 'd', ['b', 'c', 'd']],
          [0, large, ['c', 'd', large]],
          [0, large, [large]],
          [101, 'e', ['e']],
        ] as const) {
          now.mockReturnValue(time)
          await run(async (state) => {
            durableTopic<unknown>(state, 'a', options).publish(event)
            await null
            expect(await replayed(state, options)).toEqual(kept)
          })
          if (evicts) await evict()
        }
      })
    })
  }

  it('grows too old also for who is about to read it, but not for who waits', () =>
    object().run(async (state) => {
      const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
      const topic = durableTopic<number>(state, 'a', { age: 100 })
      const [slow, waiting] = [topic.subscribe(), topic.subscribe()]
      const next = waiting.next()
      topic.publish(1)
      expect((await next).value!.data).toBe(1)
      const more = waiting.next()
      now.mockReturnValue(2_000)
      await lost(slow)
      topic.publish(2)
      expect((await more).value!.data).toBe(2)
    }))

  it('grows old in the order of publishing, also where a clock goes back', () =>
    object().run(async (state) => {
      const options = { age: 100, retain: 2 }
      const now = vi.spyOn(Date, 'now')
      const topic = durableTopic<number>(state, 'a', options)
      for (const [n, time] of [1_000, 500, 500].entries()) {
        now.mockReturnValue(time)
        topic.publish(n)
        await null
      }
      // None is older than the one before it.
      now.mockReturnValue(1_100)
      expect(await replayed(state, options)).toEqual([1, 2])
      now.mockReturnValue(1_101)
      expect(await replayed(state, options)).toEqual([])
    }))

  it('is less or more with other options in the next instance', async () => {
    const { run, evict } = object()
    await run((state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 50 })
      for (const n of numbers(1, 60)) topic.publish(n)
    })
    for (const retain of [5, 20, 1]) {
      await evict()
      expect(await run((state) => replayed(state, { retain }))).toEqual(numbers(61 - retain, 60))
    }
  })

  it('is less than what is stored, but not much less', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 100 })
      let most = 0
      for (const n of numbers(1, 2_000)) {
        topic.publish(n)
        await null
        most = Math.max(most, rows(state))
      }
      expect(most).toBeLessThanOrEqual(100 + 64)
      expect(await replayed(state, { retain: 100 })).toEqual(numbers(1_901, 2_000))
      const large = durableTopic<Uint8Array>(state, 'large', { bytes: 1 })
      for (let n = 0; n < 20; n++) {
        large.publish(new Uint8Array(500_000))
        await null
        expect(rows(state) - 164).toBeLessThanOrEqual(4)
      }
    }))

  it('goes little by little where it was much', async () => {
    const { run, evict } = object()
    await run((state) => {
      const topic = durableTopic<number>(state, 'a')
      for (const n of numbers(1, 5_000)) topic.publish(n)
    })
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 10 })
      const left: number[] = []
      for (let n = 0; n < 7; n++) {
        topic.publish(n)
        await null
        left.push(rows(state))
      }
      expect(left).toEqual([3_977, 2_954, 1_931, 908, 10, 11, 12])
    })
  })

  it('is never so little that the log forgets how far it has come', async () => {
    const { run, evict } = object()
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
    const cursor = await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { age: 1 })
      for (const n of numbers(1, 200)) topic.publish(n)
      await null
      return topic.cursor
    })
    now.mockReturnValue(5_000)
    await evict()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { age: 1 })
      expect(topic.cursor).toBe(cursor)
      const events = topic.subscribe({ lastEventId: cursor })
      topic.publish(201)
      expect(await data(events, 1)).toEqual([201])
      expect(topic.cursor.split('.')[1]).toBe('201')
      await null
      expect(rows(state)).toBe(1)
    })
  })
})
