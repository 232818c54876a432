import { superjsonTypes } from '@pairwire/wire'
import { describe, expect, it, vi } from 'vitest'
import { data, done, isSettled, lost, measure, numbers, object, rows, take } from '../../test/topics.ts'
import { durableTopic } from './durable-topic.ts'
import { migrate, STEPS } from './schema.ts'

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
      expect(got[0]![0]!.isShared).toBe(true)
    }))

  it('may be of a type that was registered', async () => {
    class Point {
      readonly x: number
      readonly y: number
      constructor(x: number, y: number) {
        this.x = x
        this.y = y
      }
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

describe('storage that fails', () => {
  /** Has statements fail that say this. */
  const breakStatements = (state: DurableObjectState, part: string) => {
    const { sql } = state.storage
    const exec = sql.exec.bind(sql)
    return vi.spyOn(sql, 'exec').mockImplementation(((statement: string, ...values: unknown[]) => {
      if (statement.includes(part)) throw new Error('disk I/O error')
      return exec(statement, ...values)
    }) as never)
  }

  it('fails who publishes, and then nothing has happened', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const events = topic.subscribe()
      const broken = breakStatements(state, 'INSERT INTO pairwire_events')
      expect(() => topic.publish(1)).toThrow('disk I/O error')
      broken.mockRestore()
      topic.publish(2)
      expect(await data(events, 1)).toEqual([2])
      expect(topic.cursor.endsWith('.1')).toBe(true)
    }))

  it('fails who waits, and leaves who asks when it works again', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a')
      const start = topic.cursor
      const [waiting, slow] = [topic.subscribe(), topic.subscribe()]
      const next = waiting.next()
      topic.publish(1)
      const broken = breakStatements(state, 'FROM pairwire_topics')
      await expect(next).rejects.toThrow('disk I/O error')
      expect(await waiting.next()).toEqual(done)
      expect(() => topic.subscribe()).toThrow('disk I/O error')
      broken.mockRestore()
      await lost(slow)
      expect(await data(topic.subscribe({ lastEventId: start }), 1)).toEqual([1])
    }))

  it('fails who reads, once', async () => {
    const { run, evict } = object()
    const start = await run((state) => {
      const topic = durableTopic<number>(state, 'a')
      const start = topic.cursor
      topic.publish(1)
      return start
    })
    await evict()
    await run(async (state) => {
      const events = durableTopic<number>(state, 'a').subscribe({ lastEventId: start })
      const broken = breakStatements(state, 'e.json')
      await expect(events.next()).rejects.toThrow('disk I/O error')
      expect(await events.next()).toEqual(done)
      broken.mockRestore()
    })
  })

  it('that cannot delete stores and delivers all the same', () =>
    object().run(async (state) => {
      const topic = durableTopic<number>(state, 'a', { retain: 1 })
      const events = topic.subscribe()
      const broken = breakStatements(state, 'DELETE')
      for (const n of numbers(1, 200)) {
        topic.publish(n)
        expect(await data(events, 1)).toEqual([n])
      }
      expect(rows(state)).toBe(200)
      broken.mockRestore()
      topic.publish(201)
      expect(await data(events, 1)).toEqual([201])
      await null
      expect(rows(state)).toBe(1)
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
