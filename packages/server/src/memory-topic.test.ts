import { RpcError, type Tracked, tracked } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { memoryTopic } from './memory-topic.ts'
import type { Topic } from './topic.ts'

type Events = AsyncIterableIterator<Tracked<number>>

/** The next `count` events. */
const take = async (events: Events, count: number) => {
  const got: Tracked<number>[] = []
  while (got.length < count) got.push((await events.next()).value)
  return got
}
const data = async (events: Events, count: number) => (await take(events, count)).map(({ data }) => data)
const done = { done: true, value: undefined }
const lost = (events: AsyncIterator<unknown>) => expect(events.next()).rejects.toMatchObject({ code: 'DATA_LOSS' })

const deferred = <T>() => {
  let settle!: { resolve: (value: T) => void; reject: (error: unknown) => void }
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...settle }
}

/** A topic with these events, and the id of each. */
const filled = async (count: number, options = {}) => {
  const topic = memoryTopic<number>(options)
  const events = topic.subscribe()
  const ids: string[] = []
  for (let n = 1; n <= count; n++) {
    topic.publish(n)
    ids.push((await take(events, 1))[0]!.id)
  }
  await events.return!()
  return { topic, ids }
}

describe('a subscriber', () => {
  it('gets what is published from then on, in order', async () => {
    const topic = memoryTopic<number>()
    topic.publish(0)
    const events = topic.subscribe()
    expect([topic.publish(1), topic.publish(2)]).toEqual([1, 2])
    expect(await data(events, 2)).toEqual([1, 2])
  })

  it('waits for what comes next', async () => {
    const topic = memoryTopic<number>()
    const events = topic.subscribe()
    for (const n of [1, 2, 3]) {
      const next = data(events, 1)
      topic.publish(n)
      expect(await next).toEqual([n])
    }
  })

  it('reads at its own pace', async () => {
    const topic = memoryTopic<number>()
    const [fast, slow] = [topic.subscribe(), topic.subscribe()]
    topic.publish(1)
    topic.publish(2)
    expect(await data(fast, 2)).toEqual([1, 2])
    const [next, late] = [data(fast, 1), topic.subscribe()]
    topic.publish(3)
    expect([await next, await data(slow, 3), await data(late, 1)]).toEqual([[3], [1, 2, 3], [3]])
  })

  it('gets ids of one epoch, each different, and another topic has another epoch', async () => {
    const [one, other] = [await filled(3), await filled(1)]
    expect(new Set(one.ids).size).toBe(3)
    const epochs = [...one.ids, ...other.ids].map((id) => id.slice(0, id.lastIndexOf('.')))
    expect(new Set(epochs.slice(0, 3)).size).toBe(1)
    expect(epochs[3]).not.toBe(epochs[0])
  })

  it('is iterated by for await, and left by a break', async () => {
    const topic = memoryTopic<number>()
    const events = topic.subscribe()
    for (const n of [1, 2, 3]) topic.publish(n)
    const got: number[] = []
    for await (const { data } of events) {
      got.push(data)
      if (data === 2) break
    }
    expect([got, await events.next()]).toEqual([[1, 2], done])
  })
})

describe('a subscriber that comes back', () => {
  it('gets what came after the last event it saw, and then what comes', async () => {
    const { topic, ids } = await filled(5)
    const events = topic.subscribe({ lastEventId: ids[2]! })
    expect(await take(events, 2)).toEqual([tracked(ids[3]!, 4), tracked(ids[4]!, 5)])
    const next = data(events, 1)
    topic.publish(6)
    expect(await next).toEqual([6])
  })

  it('that has seen all waits for the next', async () => {
    const { topic, ids } = await filled(2)
    const next = data(topic.subscribe({ lastEventId: ids[1]! }), 1)
    topic.publish(3)
    expect(await next).toEqual([3])
  })

  it('is told of loss where its last event is of another epoch, ahead, or nonsense', async () => {
    const { topic, ids } = await filled(3)
    const epoch = ids[0]!.slice(0, -2)
    const other = [`${epoch}x.1`, `x${ids[0]}`, '.1', epoch, `${epoch}.`, '', '1', ` ${ids[0]}`, `${epoch}..1`]
    const offsets = ['4', '-1', '-0', '+1', '1.0', '1e0', '0x1', '01', '00', ' 1', '1 ', '1\n', 'x', 'NaN', '１']
    const huge = ['9007199254740993', '18446744073709551617', '9'.repeat(400), 'Infinity']
    const wrong: unknown[] = [...other, ...[...offsets, ...huge].map((offset) => `${epoch}.${offset}`), null, 1, {}]
    const all = wrong.map((lastEventId) => topic.subscribe({ lastEventId: lastEventId as string }))
    // What is ahead now stays lost when the topic gets there.
    topic.publish(4)
    topic.publish(5)
    for (const events of all) {
      expect(events.cursor).toBeUndefined()
      await lost(events)
      expect(await events.next()).toEqual(done)
    }
  })

  it('is told of loss once, also where it asked more than once', async () => {
    const events = memoryTopic<number>().subscribe({ lastEventId: 'unknown.1' })
    const asked = [events.next(), events.next(), events.next()]
    await expect(asked[0]).rejects.toMatchObject({ code: 'DATA_LOSS' })
    expect(await Promise.all(asked.slice(1))).toEqual([done, done])
  })

  it('is told of loss, and given nothing, where what followed is no longer retained', async () => {
    const { topic, ids } = await filled(20, { retain: 5 })
    await lost(topic.subscribe({ lastEventId: ids[0]! }))
    await lost(topic.subscribe({ lastEventId: ids[9]! }))
    expect(await data(topic.subscribe({ lastEventId: ids[14]! }), 5)).toEqual([16, 17, 18, 19, 20])
  })

  it('is not told of loss where the one event it saw last is all that is gone', async () => {
    const { topic, ids } = await filled(10, { retain: 5 })
    expect(await data(topic.subscribe({ lastEventId: ids[4]! }), 5)).toEqual([6, 7, 8, 9, 10])
    await lost(topic.subscribe({ lastEventId: ids[3]! }))
  })
})

describe('a subscriber that falls behind', () => {
  it('is told of loss in the midst, never given a part', async () => {
    const topic = memoryTopic<number>({ retain: 5 })
    const events = topic.subscribe()
    topic.publish(1)
    topic.publish(2)
    expect(await data(events, 1)).toEqual([1])
    for (let n = 3; n <= 20; n++) topic.publish(n)
    await lost(events)
    expect(await events.next()).toEqual(done)
  })

  it('is told of loss in the midst of what it comes back for', async () => {
    const { topic, ids } = await filled(5, { retain: 5 })
    const events = topic.subscribe({ lastEventId: ids[0]! })
    expect(await data(events, 2)).toEqual([2, 3])
    for (let n = 6; n <= 9; n++) topic.publish(n)
    await lost(events)
    expect(await events.next()).toEqual(done)
  })

  it('is not told of loss by one event less', async () => {
    const { topic, ids } = await filled(5, { retain: 5 })
    const events = topic.subscribe({ lastEventId: ids[0]! })
    expect(await data(events, 2)).toEqual([2, 3])
    for (let n = 6; n <= 8; n++) topic.publish(n)
    expect(await data(events, 5)).toEqual([4, 5, 6, 7, 8])
  })

  it('does not hold back the others', async () => {
    const topic = memoryTopic<number>({ retain: 2 })
    const [slow, fast] = [topic.subscribe(), topic.subscribe()]
    for (let n = 1; n <= 10; n++) {
      topic.publish(n)
      expect(await data(fast, 1)).toEqual([n])
    }
    await lost(slow)
  })
})

describe('a subscription that ends', () => {
  it('by return() lets go of who waits', async () => {
    const topic = memoryTopic<number>()
    const events = topic.subscribe()
    const next = events.next()
    expect(await events.return!()).toEqual(done)
    topic.publish(1)
    expect([await next, await events.next()]).toEqual([done, done])
  })

  it('answers who asked first first', async () => {
    const topic = memoryTopic<number>()
    const events = topic.subscribe()
    const first = events.next()
    topic.publish(1)
    const second = events.next()
    topic.publish(2)
    expect([(await first).value.data, (await second).value.data]).toEqual([1, 2])
  })

  it('lets go of every reader that waits', async () => {
    const events = memoryTopic<number>().subscribe()
    const both = [events.next(), events.next()]
    await events.return!()
    expect(await Promise.all(both)).toEqual([done, done])
  })

  it('by its signal lets go of who waits, and does not throw', async () => {
    const topic = memoryTopic<number>()
    const controller = new AbortController()
    const events = topic.subscribe({ signal: controller.signal })
    const next = events.next()
    controller.abort(new RpcError('CANCELLED'))
    expect([await next, await events.next()]).toEqual([done, done])
  })

  it('by its signal gives no more of what is there', async () => {
    const controller = new AbortController()
    const topic = memoryTopic<number>()
    const events = topic.subscribe({ signal: controller.signal })
    topic.publish(1)
    topic.publish(2)
    expect(await data(events, 1)).toEqual([1])
    controller.abort()
    expect(await events.next()).toEqual(done)
  })

  it('before it began is over at once', async () => {
    const topic = memoryTopic<number>()
    const events = topic.subscribe({ signal: AbortSignal.abort(), lastEventId: 'unknown.1' })
    topic.publish(1)
    expect(await events.next()).toEqual(done)
  })

  it('lets go of its signal', async () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const remove = vi.spyOn(signal, 'removeEventListener')
    const topic = memoryTopic<number>()
    const left = topic.subscribe({ signal })
    const waits = [left.next(), left.next()]
    expect(add).toHaveBeenCalledOnce()
    await left.return!()
    await Promise.all(waits)
    const failing = topic.subscribe({ signal, snapshot: () => Promise.reject(new Error('failed')) })
    await expect(failing.next()).rejects.toThrow('failed')
    expect(add).toHaveBeenCalledTimes(2)
    expect(remove.mock.calls).toEqual(add.mock.calls)
  })

  it('that nobody read asked nothing of its signal', async () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const topic = memoryTopic<number>()
    topic.subscribe({ signal })
    topic.publish(1)
    expect(add).not.toHaveBeenCalled()
  })
})

describe('where events begin', () => {
  it('is the id of the last event published, also before any', () => {
    const topic = memoryTopic<number>({ retain: 1 })
    const epoch = topic.cursor.slice(0, -2)
    expect(topic.cursor).toBe(`${epoch}.0`)
    for (let n = 1; n <= 12; n++) {
      topic.publish(n)
      expect(topic.cursor).toBe(`${epoch}.${n}`)
    }
  })

  it('can be subscribed to', async () => {
    const topic = memoryTopic<number>()
    const none = topic.cursor
    topic.publish(1)
    const one = topic.cursor
    topic.publish(2)
    expect(await data(topic.subscribe({ lastEventId: none }), 2)).toEqual([1, 2])
    expect(await data(topic.subscribe({ lastEventId: one }), 1)).toEqual([2])
    const next = topic.subscribe({ lastEventId: topic.cursor }).next()
    topic.publish(3)
    expect(await next).toEqual({ done: false, value: tracked(topic.cursor, 3) })
  })

  it('is settled when it is subscribed to, and said', async () => {
    const { topic, ids } = await filled(3)
    const [fresh, back, lost] = [{}, { lastEventId: ids[0]! }, { lastEventId: 'unknown.1' }].map((from) =>
      topic.subscribe(from),
    )
    topic.publish(4)
    expect([fresh!.cursor, back!.cursor, lost!.cursor]).toEqual([ids[2], ids[0], undefined])
    expect([await data(fresh!, 1), await data(back!, 1)]).toEqual([[4], [2]])
    expect(fresh!.cursor).toBe(ids[2])
  })
})

describe('a snapshot', () => {
  it('is the first event, where the subscriber has seen none', async () => {
    const { topic, ids } = await filled(3)
    const events = topic.subscribe({ snapshot: () => 6 })
    expect(events.cursor).toBeUndefined()
    topic.publish(4)
    expect(await take(events, 2)).toEqual([tracked(ids[2]!, 6), tracked(topic.cursor, 4)])
    const empty = memoryTopic<number>()
    expect(await take(empty.subscribe({ snapshot: async () => 0 }), 1)).toEqual([tracked(empty.cursor, 0)])
  })

  it('does not come where the subscriber can go on', async () => {
    const { topic, ids } = await filled(3)
    const snapshot = vi.fn(() => 0)
    const events = topic.subscribe({ lastEventId: ids[0]!, snapshot })
    expect(events.cursor).toBe(ids[0])
    expect(await data(events, 2)).toEqual([2, 3])
    expect(snapshot).not.toHaveBeenCalled()
  })

  it('comes instead of a loss', async () => {
    const { topic, ids } = await filled(20, { retain: 5 })
    for (const lastEventId of [ids[0]!, 'unknown.1', `${topic.cursor}0`, '']) {
      expect(await take(topic.subscribe({ lastEventId, snapshot: () => 7 }), 1)).toEqual([tracked(topic.cursor, 7)])
    }
  })

  it('is followed by all that was published while it was loading', async () => {
    const { topic } = await filled(3)
    const { promise, resolve } = deferred<number>()
    const at = topic.cursor
    const events = topic.subscribe({ snapshot: () => promise })
    topic.publish(4)
    const asked = [events.next(), events.next(), events.next()]
    topic.publish(5)
    resolve(6)
    await Promise.all(asked)
    topic.publish(6)
    expect((await Promise.all(asked)).map(({ value }) => [value.id === at, value.data])).toEqual([
      [true, 6],
      [false, 4],
      [false, 5],
    ])
    expect(await data(events, 1)).toEqual([6])
  })

  it('is taken together with its position: a state in memory and its changes fit exactly', async () => {
    const topic = memoryTopic<number>()
    let sum = 0
    const add = (n: number) => {
      sum += n
      topic.publish(n)
    }
    add(1)
    const events = topic.subscribe({ snapshot: () => sum })
    add(2)
    add(3)
    expect(await data(events, 3)).toEqual([1, 2, 3])
  })

  it('is taken again where the log went on without it, but not forever', async () => {
    const topic = memoryTopic<number>({ retain: 2 })
    const flood = (count: number) => {
      for (let n = 0; n < count; n++) topic.publish(n)
    }
    let floods = 2
    const snapshot = vi.fn(async () => {
      const at = Number(topic.cursor.split('.')[1])
      await null
      flood(floods-- > 0 ? 3 : 2)
      return at
    })
    const events = topic.subscribe({ snapshot })
    const [first] = await take(events, 1)
    expect([snapshot.mock.calls.length, first!.data, first!.id.split('.')[1]]).toEqual([3, 6, '6'])
    expect(await data(events, 2)).toEqual([0, 1])
    floods = Infinity
    const hopeless = topic.subscribe({ snapshot })
    await lost(hopeless)
    expect(await hopeless.next()).toEqual(done)
    expect(snapshot).toHaveBeenCalledTimes(6)
  })

  it('heals a reader that falls behind, each time', async () => {
    const { topic, ids } = await filled(3, { retain: 3 })
    let sum = 0
    const events = topic.subscribe({ lastEventId: ids[0]!, snapshot: () => sum })
    expect(await data(events, 1)).toEqual([2])
    for (let round = 1; round <= 8; round++) {
      for (let n = 0; n < 4; n++) topic.publish(n)
      sum = round * 100
      expect(await take(events, 1)).toEqual([tracked(topic.cursor, sum)])
    }
    topic.publish(9)
    expect(await data(events, 1)).toEqual([9])
  })

  it('that fails ends the subscription with its error', async () => {
    const topic = memoryTopic<number>()
    const failed = new Error('failed')
    const fails = [
      () => {
        throw failed
      },
      () => Promise.reject(failed),
    ]
    for (const snapshot of fails) {
      const events = topic.subscribe({ snapshot })
      await new Promise((resolve) => setTimeout(resolve)) // nobody reads yet, and nothing is thrown to nobody
      await expect(events.next()).rejects.toBe(failed)
      expect(await events.next()).toEqual(done)
      const waited = topic.subscribe({ snapshot })
      const asked = [waited.next(), waited.next()]
      await expect(asked[0]).rejects.toBe(failed)
      expect(await asked[1]).toEqual(done)
    }
  })

  it('is not waited for by who leaves, and its failure is nobody’s any more', async () => {
    const topic = memoryTopic<number>()
    const { promise, reject } = deferred<number>()
    const controller = new AbortController()
    const left = topic.subscribe({ snapshot: () => promise })
    const cancelled = topic.subscribe({ snapshot: () => promise, signal: controller.signal })
    const asked = [left.next(), cancelled.next()]
    await left.return!()
    controller.abort()
    expect(await Promise.all(asked)).toEqual([done, done])
    reject(new Error('failed'))
    expect([await left.next(), await cancelled.next()]).toEqual([done, done])
  })

  it('is not loaded for who is gone already', async () => {
    const snapshot = vi.fn(() => 1)
    const events = memoryTopic<number>().subscribe({ snapshot, signal: AbortSignal.abort() })
    expect(await events.next()).toEqual(done)
    expect(snapshot).not.toHaveBeenCalled()
  })
})

describe('what is retained', () => {
  afterEach(() => vi.restoreAllMocks())

  /** The newest events that can be replayed; one more is lost. */
  const replayed = async (topic: Topic<unknown>): Promise<unknown[]> => {
    const [epoch, last] = topic.cursor.split('.') as [string, string]
    for (let after = 0; ; after++) {
      const events = topic.subscribe({ lastEventId: `${epoch}.${after}` })
      try {
        return (await take(events as Events, Number(last) - after)).map(({ data }) => data)
      } catch (error) {
        expect(error).toMatchObject({ code: 'DATA_LOSS' })
        expect(await events.next()).toEqual(done)
      } finally {
        await events.return!()
      }
    }
  }

  it('is as many events as are wanted, and not one more', async () => {
    for (const retain of [1, 4, 40]) {
      const topic = memoryTopic<number>({ retain })
      for (let count = 1; count < 4 * retain; count++) {
        topic.publish(count)
        const kept = Math.min(retain, count)
        expect(await replayed(topic)).toEqual(Array.from({ length: kept }, (_, i) => count - kept + 1 + i))
      }
    }
  })

  it('is 1,000 events where nothing else is said', async () => {
    const topic = memoryTopic<number>()
    for (let n = 0; n < 2_500; n++) topic.publish(n)
    expect(await replayed(topic)).toHaveLength(1_000)
  })

  it('is about as many bytes as are wanted', async () => {
    const topic = memoryTopic<string>({ bytes: 10_000 })
    for (let n = 0; n < 50; n++) topic.publish(String(n % 10).repeat(500))
    // 1,000 bytes each, and something for each event's own.
    const { length } = await replayed(topic)
    expect(length).toBeGreaterThan(6)
    expect(length).toBeLessThan(10)
  })

  it('is 16 MiB where nothing else is said', async () => {
    const topic = memoryTopic<Uint8Array>()
    for (let n = 0; n < 20; n++) topic.publish(new Uint8Array(2 ** 20))
    expect(await replayed(topic)).toHaveLength(15)
  })

  it('is the newest event at least, however large, which leaves no room for others', async () => {
    const topic = memoryTopic<string>({ bytes: 1_000 })
    const large = 'x'.repeat(5_000)
    for (const event of ['a', 'b', large]) topic.publish(event)
    expect(await replayed(topic)).toEqual([large])
    topic.publish('c')
    expect(await replayed(topic)).toEqual(['c'])
    topic.publish('d')
    expect(await replayed(topic)).toEqual(['c', 'd'])
  })

  it('counts the bytes of what is there, not of what has gone', async () => {
    const topic = memoryTopic<string>({ bytes: 10_000, retain: 5 })
    for (let n = 0; n < 1_000; n++) topic.publish('x'.repeat(n % 7 ? 10 : 900))
    expect(await replayed(topic)).toHaveLength(5)
  })

  it('is as old as is wanted, and no older', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
    const topic = memoryTopic<number>({ age: 100 })
    for (const n of [1, 2, 3]) {
      topic.publish(n)
      now.mockReturnValue(1_000 + n * 50)
    }
    // Published at 1,000, 1,050 and 1,100; it is 1,150.
    expect(await replayed(topic)).toEqual([2, 3])
    now.mockReturnValue(1_151)
    expect(await replayed(topic)).toEqual([3])
    now.mockReturnValue(2_000)
    expect(await replayed(topic)).toEqual([])
    topic.publish(4)
    expect(await replayed(topic)).toEqual([4])
  })

  it('grows too old also for who is about to read it, but not for who waits', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_000)
    const topic = memoryTopic<number>({ age: 100 })
    const [slow, waiting] = [topic.subscribe(), topic.subscribe()]
    const next = waiting.next()
    // Time passes also while readers are woken.
    now.mockImplementation(() => time++)
    let time = 1_000
    topic.publish(1)
    expect((await next).value.data).toBe(1)
    const more = waiting.next()
    time = 2_000
    await lost(slow)
    topic.publish(2)
    expect((await more).value.data).toBe(2)
  })

  it('is under all three bounds at once', async () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(0)
    const topic = memoryTopic<string>({ retain: 3, bytes: 2_000, age: 100 })
    for (const event of ['a', 'b', 'c', 'd']) topic.publish(event)
    expect(await replayed(topic)).toEqual(['b', 'c', 'd'])
    const large = 'x'.repeat(700)
    topic.publish(large)
    expect(await replayed(topic)).toEqual(['c', 'd', large])
    topic.publish(large)
    expect(await replayed(topic)).toEqual([large])
    now.mockReturnValue(101)
    topic.publish('e')
    expect(await replayed(topic)).toEqual(['e'])
  })

  it('is wanted in numbers that make sense', () => {
    for (const name of ['retain', 'bytes', 'age']) {
      for (const value of [0, -1, 0.5, Number.NaN, -Infinity]) {
        const make = () => memoryTopic({ [name]: value })
        expect(make).toThrow(RangeError)
        expect(make).toThrow(`${name} is ${value}; give it a`)
      }
      for (const value of ['5', null, {}, 5n]) expect(() => memoryTopic({ [name]: value as never })).toThrow(TypeError)
      for (const value of [1, Infinity, undefined]) memoryTopic({ [name]: value })
    }
    expect(() => memoryTopic({ retain: 1.5 })).toThrow('retain is 1.5; give it a whole number')
  })
})

it('publishes what is hostile to who looks at it', async () => {
  const topic = memoryTopic<unknown>()
  const throws = () => {
    throw new Error('touched')
  }
  const hostile = Object.fromEntries(Reflect.ownKeys(Reflect).map((trap) => [trap, throws]))
  const event = { proxy: new Proxy({}, hostile) }
  const events = topic.subscribe()
  expect(topic.publish(event)).toBe(event)
  expect((await events.next()).value.data).toBe(event)
})
