import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Tracked } from '@pairwire/contract'
import { superjsonTypes } from '@pairwire/wire'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TopicEvents } from '../topic.ts'
import { type DurableTopicOptions, durableTopic } from './durable-topic.ts'
import { placesOf } from './places.ts'
import { migrate, STEPS } from './schema.ts'

/** A new object; each `run` is in the instance that is awake, or wakes it. */
const object = () => {
  const stub = env.OBJECT.getByName(crypto.randomUUID())
  const run = <R>(inside: (state: DurableObjectState) => R | Promise<R>) =>
    runInDurableObject(stub, (_, state) => inside(state))
  return { run, evict: () => evictDurableObject(stub) }
}
/** The next `count` events. */
const take = async <T>(events: TopicEvents<T>, count: number) => {
  const got: Tracked<T>[] = []
  while (got.length < count) got.push((await events.next()).value!)
  return got
}
const data = async <T>(events: TopicEvents<T>, count: number) => (await take(events, count)).map(({ data }) => data)
const done = { done: true, value: undefined }
const lost = (events: AsyncIterator<unknown>) => expect(events.next()).rejects.toMatchObject({ code: 'DATA_LOSS' })
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
/** Whether it has an answer, some turns later. */
const isSettled = async (promise: Promise<unknown>) => {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let turn = 0; turn < 20; turn++) await null
  return settled
}
/** What the statements of `inside` cost. */
const measure = async (state: DurableObjectState, inside: () => unknown) => {
  const exec = vi.spyOn(state.storage.sql, 'exec')
  try {
    await inside()
    const cursors = exec.mock.results.map(({ value }) => value as SqlStorageCursor<never>)
    return {
      statements: cursors.length,
      written: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
      read: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
      pages: exec.mock.calls.filter(([statement]) => statement.includes('e.json')).length,
    }
  } finally {
    exec.mockRestore()
  }
}
const rows = (state: DurableObjectState) =>
  Number(state.storage.sql.exec('SELECT count(*) AS n FROM pairwire_events').one().n)

afterEach(() => vi.restoreAllMocks())

describe('a subscriber', () => {
  it('gets what is published from then on, in order, at its own pace', () =>
    object().run(async ({ storage }) => {
      const topic = durableTopic<number>({ storage }, 'a')
      topic.publish(0)
      const [fast, slow] = [topic.subscribe(), topic.subscribe()]
      expect([topic.publish(1), topic.publish(2)]).toEqual([1, 2])
      expect(await data(fast, 2)).toEqual([1, 2])
      const next = fast.next()
      topic.publish(3)
      expect((await next).value).toMatchObject({ id: topic.cursor, data: 3 })
      expect(await data(slow, 3)).toEqual([1, 2, 3])
    }))

  it('that comes back goes on, also in the next instance', async () => {
    const { run, evict } = object()
    const id = await run((state) => {
      const topic = durableTopic<number>(state, 'a')
      for (const n of [1, 2]) topic.publish(n)
      const id = topic.cursor
      for (const n of [3, 4]) topic.publish(n)
      return id
    })
    for (let instance = 0; instance < 3; instance++) {
      await evict()
      await run(async (state) => {
        const topic = durableTopic<number>(state, 'a')
        const events = topic.subscribe({ lastEventId: id })
        expect(events.cursor).toBe(id)
        topic.publish(5 + instance)
        expect(await data(events, 3 + instance)).toEqual(numbers(3, 5 + instance))
      })
    }
  })

  it('is told of loss where its last event is of another epoch, ahead, or nonsense', async () => {
    const { run, evict } = object()
    for (let instance = 0; instance < 2; instance++) {
      await run(async (state) => {
        const topic = durableTopic<number>(state, 'a')
        topic.publish(1)
        const [epoch, last] = topic.cursor.split('.')
        const ids = [`${epoch}.${Number(last) + 1}`, `x.${last}`, `.${last}`, '', `${epoch}.`, `${epoch}.-1`, '.0']
        for (const lastEventId of ids) {
          const events = topic.subscribe({ lastEventId })
          expect(events.cursor).toBeUndefined()
          await lost(events)
          expect(await events.next()).toEqual(done)
        }
      })
      await evict()
    }
  })

  it('is let go by its signal, and by return()', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const controller = new AbortController()
      const [aborted, left] = [topic.subscribe({ signal: controller.signal }), topic.subscribe()]
      const waits = [aborted.next(), left.next()]
      controller.abort()
      await left.return!()
      topic.publish(1)
      expect(await Promise.all(waits)).toEqual([done, done])
    }))

  it('of another topic gets nothing of this one', async () => {
    const { run, evict } = object()
    const names = ['', 'a', 'A', 'a\0', 'a\0b', "'; --", 'ä', '😀', 'x'.repeat(1_024)]
    const cursors = await run(async (state) => {
      const topics = names.map((name) => durableTopic<string>(state, name))
      const events = topics.map((topic) => topic.subscribe())
      for (const [i, topic] of topics.entries()) topic.publish(names[i]!)
      for (const [i, each] of events.entries()) expect(await data(each, 1)).toEqual([names[i]])
      for (const each of events) expect(await isSettled(each.next())).toBe(false)
      return topics.map(({ cursor }) => cursor)
    })
    expect(new Set(cursors.map((cursor) => cursor.split('.')[0])).size).toBe(names.length)
    await evict()
    await run((state) => expect(names.map((name) => durableTopic(state, name).cursor)).toEqual(cursors))
  })

  it('is woken once for what is published in one turn', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const events = topic.subscribe()
      const next = events.next()
      const order: string[] = []
      next.then(() => order.push('event'))
      topic.publish(1)
      topic.publish(2)
      order.push('published')
      const cost = await measure(state, () => next)
      expect(order).toEqual(['published', 'event'])
      expect(cost.statements).toBeLessThanOrEqual(2)
      expect(await data(events, 1)).toEqual([2])
    }))
})

describe('an event', () => {
  it('arrives as it was published, from memory and from storage', async () => {
    const { run, evict } = object()
    const make = () => ({
      date: new Date(5),
      map: new Map([[{ a: 1 }, new Set([1n, undefined])]]),
      bytes: new Uint8Array([1, 2, 3]),
      more: { view: new Float64Array([1.5, Number.NaN]), url: new URL('http://a.test/') },
      nothing: [undefined, null, -0, Number.NaN, Infinity],
      text: 'é😀\0\ud800',
    })
    const all = [
      make(),
      undefined,
      null,
      0,
      '',
      'text',
      new Uint8Array(0),
      [new Uint8Array([9]), new Uint8Array([8, 7])],
    ]
    const start = await run(async (state) => {
      const topic = durableTopic<unknown>(state, 'a')
      const events = topic.subscribe()
      for (const event of all) expect(topic.publish(event)).toBe(event)
      expect(await data(events, all.length)).toEqual(all)
      return events.cursor
    })
    await evict()
    await run(async (state) => {
      const events = durableTopic<unknown>(state, 'a').subscribe({ lastEventId: start })
      expect(await data(events, all.length)).toEqual(all)
    })
  })

  it('stays as it was published, whatever becomes of the object', () =>
    object().run(async (state) => {
      const topic = durableTopic<unknown>(state, 'a')
      const events = topic.subscribe()
      const event = { list: [1], bytes: new Uint8Array([1]) }
      topic.publish(event)
      event.list.push(2)
      event.bytes[0] = 2
      expect(await data(events, 1)).toEqual([{ list: [1], bytes: new Uint8Array([1]) }])
    }))

  it('is the same object for all of its readers, who may keep something with it', () =>
    object().run(async (state) => {
      const topic = durableTopic<object>(state, 'a')
      const start = topic.cursor
      const readers = numbers(1, 50).map(() => durableTopic<object>(state, 'a').subscribe())
      for (let n = 0; n < 100; n++) topic.publish({ n })
      const got = await Promise.all(readers.map((events) => take(events, 100)))
      const late = await take(topic.subscribe({ lastEventId: start }), 100)
      for (const events of [...got, late]) for (const [i, event] of events.entries()) expect(event).toBe(got[0]![i])
      expect(got[0]![0]!.memo).toBeInstanceOf(Map)
    }))

  it('may be of a type that was registered', async () => {
    class Point {
      constructor(
        readonly x: number,
        readonly y: number,
      ) {}
    }
    const { default: SuperJSON } = await import('superjson')
    const superjson = new SuperJSON()
    superjson.registerCustom<Point, string>(
      {
        isApplicable: (value): value is Point => value instanceof Point,
        serialize: ({ x, y }) => `${x},${y}`,
        deserialize: (text) => new Point(...(text.split(',').map(Number) as [number, number])),
      },
      'point',
    )
    const types = superjsonTypes(superjson)
    const { run, evict } = object()
    const start = await run(async (state) => {
      const topic = durableTopic<Point>(state, 'a', { types })
      const events = topic.subscribe()
      topic.publish(new Point(1, 2))
      expect(await data(events, 1)).toEqual([new Point(1, 2)])
      return events.cursor
    })
    await evict()
    await run(async (state) => {
      const events = durableTopic<Point>(state, 'a').subscribe({ lastEventId: start })
      await expect(events.next()).rejects.toThrow('A stored event cannot be read')
      expect(await events.next()).toEqual(done)
    })
  })

  it('that cannot be encoded, or is too large, is refused, and nothing is written', () =>
    object().run(async (state) => {
      const topic = durableTopic<unknown>(state, 'a')
      const events = topic.subscribe()
      expect(() => topic.publish(() => {})).toThrow('is no plain data')
      const tooLarge = 'is too large for a topic: a row of a Durable Object’s storage has up to 2000000'.replace(
        '’',
        "'",
      )
      for (const event of ['x'.repeat(2_000_000), 'é'.repeat(1_000_000), new Uint8Array(2_000_000)]) {
        expect(() => topic.publish(event)).toThrow(RangeError)
        expect(() => topic.publish(event)).toThrow(tooLarge)
      }
      expect([rows(state), topic.cursor]).toEqual([0, events.cursor])
      // Two quotation marks and the row's own.
      expect(() => topic.publish('x'.repeat(2_000_000 - 33))).toThrow('An event of 2000001 bytes')
      const largest = topic.publish('x'.repeat(2_000_000 - 34))
      topic.publish('next')
      expect(await data(events, 2)).toEqual([largest, 'next'])
    }))
})

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

describe('deleteAll()', () => {
  it('leaves a topic that begins anew', async () => {
    const { run, evict } = object()
    await run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      for (const n of [1, 2, 3]) topic.publish(n)
      await null
      const [start] = topic.cursor.split('.')
      const [reading, waiting] = [topic.subscribe({ lastEventId: `${start}.0` }), topic.subscribe()]
      expect(await data(reading, 1)).toEqual([1])
      const next = waiting.next()
      await state.storage.deleteAll()
      expect(topic.cursor.endsWith('.0')).toBe(true)
      expect(topic.cursor.startsWith(`${start}.`)).toBe(false)
      await expect(next).rejects.toMatchObject({ code: 'DATA_LOSS' })
      await lost(reading)
      await lost(topic.subscribe({ lastEventId: `${start}.2` }))
      const events = topic.subscribe()
      topic.publish(4)
      expect(await data(events, 1)).toEqual([4])
    })
    await evict()
    await run((state) => expect(durableTopic(state, 'a').cursor.endsWith('.1')).toBe(true))
  })

  it('gives no reader the events of another topic', () =>
    object().run(async (state) => {
      const [a, b] = [durableTopic<string>(state, 'a'), durableTopic<string>(state, 'b')]
      const start = a.cursor
      for (let n = 0; n < 1_000; n++) a.publish('a')
      await null
      const [reading, waiting] = [a.subscribe({ lastEventId: start }), a.subscribe()]
      const next = waiting.next()
      await state.storage.deleteAll()
      for (let n = 0; n < 1_000; n++) b.publish('b')
      expect(state.storage.sql.exec('SELECT id, name FROM pairwire_topics').toArray()).toEqual([{ id: 1, name: 'b' }])
      // What is still in memory may come; then nothing but the loss.
      const got: string[] = []
      await expect(
        (async () => {
          for await (const { data } of reading) got.push(data)
        })(),
      ).rejects.toMatchObject({ code: 'DATA_LOSS' })
      expect(new Set(got).has('b')).toBe(false)
      a.publish('a')
      await expect(next).rejects.toMatchObject({ code: 'DATA_LOSS' })
      expect(b.cursor.endsWith('.1000')).toBe(true)
    }))

  it('right after a publish leaves nothing', () =>
    object().run(async (state) => {
      const topic = durableTopic<string>(state, 'a')
      const next = topic.subscribe().next()
      topic.publish('one')
      const deleted = state.storage.deleteAll()
      await expect(next).rejects.toMatchObject({ code: 'DATA_LOSS' })
      await deleted
      expect(state.storage.sql.exec("SELECT * FROM sqlite_schema WHERE name LIKE 'pairwire%'").toArray()).toEqual([])
    }))
})

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

  it('is not what it was where a clock goes back', () =>
    object().run(async (state) => {
      const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
      const topic = durableTopic<number>(state, 'a', { age: 100 })
      topic.publish(1)
      now.mockReturnValue(500)
      topic.publish(2)
      await null
      now.mockReturnValue(1_050)
      expect(await replayed(state, { age: 100 })).toEqual([1, 2])
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
      expect(steady.read).toBeLessThan(640 * 12)
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
      expect(used.read).toBeLessThan(100)
    })
  })

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
      expect(cost.read).toBeLessThan(40_000)
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
      for (let n = 0; n < 3_000; n++) {
        const events = durableTopic<number>(state, `document ${n}`).subscribe()
        durableTopic<number>(state, `document ${n}`).publish(n)
        expect(await data(events, 1)).toEqual([n])
      }
      const events = durableTopic<number>(state, 'document 7').subscribe()
      const next = events.next()
      durableTopic<number>(state, 'document 7').publish(8)
      expect((await next).value!.data).toBe(8)
    }),
  )
})

describe('a place', () => {
  /** A signal with the id that a subscription is to go on behind, and where its reader stands. */
  const placed = (id: string | undefined) => {
    const { signal } = new AbortController()
    const stood: { topic: string; position: () => string | undefined }[] = []
    const taken: string[] = []
    placesOf.set(signal, {
      take(topic) {
        taken.push(topic)
        const once = id
        id = undefined
        return once
      },
      stand: (topic, position) => stood.push({ topic, position }),
    })
    return { signal, stood, taken }
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
      const { signal, stood } = placed(undefined)
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

describe('a topic', () => {
  it('is one by its name, in an object', () =>
    object().run(async (state) => {
      const [one, same] = [durableTopic<number>(state, 'a'), durableTopic<number>(state, 'a')]
      const next = one.subscribe().next()
      same.publish(1)
      expect((await next).value!.data).toBe(1)
      expect(one.cursor).toBe(same.cursor)
      for (const options of [{ retain: 5 }, { bytes: 5 }, { age: 5 }])
        expect(() => durableTopic(state, 'a', options)).toThrow("there is a topic 'a' already, with other options")
      durableTopic(state, '\ud800').publish('surrogate')
      expect(durableTopic(state, '\udfff').cursor).toBe(durableTopic(state, '\ud800').cursor)
    }))

  it('has a name', () =>
    object().run((state) => {
      for (const name of [undefined, null, 5, {}, Symbol('a')]) {
        expect(() => durableTopic(state, name as never)).toThrow(TypeError)
        expect(() => durableTopic(state, name as never)).toThrow('give it a string')
      }
      expect(() => durableTopic(state, 'x'.repeat(1_025))).toThrow(RangeError)
    }))

  it('is told what makes sense', () =>
    object().run((state) => {
      for (const name of ['retain', 'bytes', 'age']) {
        for (const value of [0, -1, 0.5, Number.NaN]) {
          const make = () => durableTopic(state, 'a', { [name]: value })
          expect(make).toThrow(RangeError)
          expect(make).toThrow(`durableTopic(): ${name} is ${value}; give it a`)
        }
        for (const value of ['5', null]) expect(() => durableTopic(state, 'a', { [name]: value })).toThrow(TypeError)
      }
      durableTopic(state, 'b', { retain: Infinity, bytes: Infinity, age: Infinity }).publish(1)
    }))

  it('works on tables of any earlier version', async () => {
    for (let version = 0; version <= STEPS.length; version++) {
      const { run, evict } = object()
      await run(({ storage }) => {
        migrate(storage, STEPS.slice(0, version))
        storage.sql.exec("CREATE TABLE mine (n); INSERT INTO mine VALUES ('kept')")
        if (storage.sql.exec("SELECT * FROM sqlite_schema WHERE name = 'pairwire_events'").toArray().length === 0)
          return
        storage.sql.exec("INSERT INTO pairwire_topics VALUES (7, 'a', 'epoch')")
        storage.sql.exec(
          `INSERT INTO pairwire_events VALUES (7, 1, 5, 0, 35, '"one"', NULL, NULL), (7, 2, 5, 35, 35, '"two"', NULL, NULL)`,
        )
      })
      await evict()
      await run(async (state) => {
        const topic = durableTopic<string>(state, 'a')
        if (topic.cursor.startsWith('epoch.'))
          expect(await data(topic.subscribe({ lastEventId: 'epoch.0' }), 2)).toEqual(['one', 'two'])
        const events = topic.subscribe()
        topic.publish('three')
        expect(await data(events, 1)).toEqual(['three'])
        expect(state.storage.sql.exec('SELECT n FROM mine').one()).toEqual({ n: 'kept' })
      })
    }
  })

  it('refuses tables of a later version', () =>
    object().run((state) => {
      migrate(state.storage, [...STEPS, () => {}])
      expect(() => durableTopic(state, 'a').publish(1)).toThrow('made by a later version')
    }))

  it('can be published to in the constructor', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      await state.blockConcurrencyWhile(async () => {
        topic.publish(1)
      })
      expect(topic.cursor.endsWith('.1')).toBe(true)
    }))
})
