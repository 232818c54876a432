import { RpcError, type Tracked } from '@pairwire/contract'
import { describe, expect, it, vi } from 'vitest'
import { memoryTopic } from './memory-topic.ts'

type Events = AsyncIterableIterator<Tracked<number>>

/** The next `count` events. */
const take = async (events: Events, count: number) => {
  const got: Tracked<number>[] = []
  while (got.length < count) got.push((await events.next()).value)
  return got
}
const data = async (events: Events, count: number) => (await take(events, count)).map(({ data }) => data)
const done = { done: true, value: undefined }
const lost = (events: Events) => expect(events.next()).rejects.toMatchObject({ code: 'DATA_LOSS' })

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
    expect(await take(events, 2)).toEqual([
      { id: ids[3], data: 4 },
      { id: ids[4], data: 5 },
    ])
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
    const wrong = [`${epoch}x.1`, `x${ids[0]}`, '.1', `${epoch}.4`, `${epoch}.-1`, `${epoch}.x`, epoch, '', '1']
    for (const lastEventId of wrong) {
      const events = topic.subscribe({ lastEventId })
      await lost(events)
      expect(await events.next()).toEqual(done)
    }
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

  it('finds at least as many events as are to be retained, however many have been published', async () => {
    const retain = 4
    for (let count = retain + 1; count < 30; count++) {
      const { topic, ids } = await filled(count, { retain })
      const events = topic.subscribe({ lastEventId: ids[count - retain - 1]! })
      expect(await data(events, retain)).toEqual([3, 2, 1, 0].map((n) => count - n))
    }
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
    await left.return!()
    await lost(topic.subscribe({ signal, lastEventId: 'unknown.1' }))
    expect(add).toHaveBeenCalledTimes(2)
    expect(remove.mock.calls).toEqual(add.mock.calls)
  })
})
