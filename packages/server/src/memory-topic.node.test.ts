import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { memoryTopic } from './memory-topic.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
/** Which of them are still held by something. */
const held = async (refs: WeakRef<object>[]): Promise<boolean[]> => {
  await new Promise((resolve) => setTimeout(resolve, 10))
  gc()
  return refs.map((ref) => ref.deref() !== undefined)
}

it('holds no event that is not retained', async () => {
  const topic = memoryTopic<object>({ retain: 3 })
  const refs = Array.from({ length: 20 }, (_, n) => new WeakRef(topic.publish({ n })))
  expect(await held(refs)).toEqual(refs.map((_, n) => n >= 17))
  expect(topic.cursor).toMatch(/\.20$/)
})

it('holds no event that is too old, once it is used again', async () => {
  const topic = memoryTopic<object>({ age: 1 })
  const publish = () => new WeakRef(topic.publish({}))
  const refs = [publish(), publish()]
  expect(await held(refs)).toEqual([true, true])
  refs.push(publish())
  expect((await held(refs)).slice(0, 2)).toEqual([false, false])
  topic.subscribe()
  expect(await held(refs)).toEqual([false, false, false])
  expect(topic.cursor).toMatch(/\.3$/)
})

it('holds no snapshot for who has left, before or after it was loaded', async () => {
  const topic = memoryTopic<object>()
  const leave = async (late: boolean) => {
    const state = {}
    let load = () => {}
    const loading = new Promise<void>((resolve) => {
      load = resolve
    })
    const events = topic.subscribe({ snapshot: () => loading.then(() => state) })
    if (late) await events.return!()
    load()
    await new Promise((resolve) => setTimeout(resolve))
    if (!late) await events.return!()
    return { events, ref: new WeakRef<object>(state) }
  }
  const left = [await leave(false), await leave(true)]
  expect(await held(left.map(({ ref }) => ref))).toEqual([false, false])
  for (const { events } of left) expect(await events.next()).toEqual({ done: true, value: undefined })
})

it('holds nobody who does not wait, and neither does a signal', async () => {
  const topic = memoryTopic<number>()
  const { signal } = new AbortController()
  const subscribe = async (live: (events: AsyncIterator<unknown>) => unknown, snapshot?: () => number) => {
    const events = topic.subscribe({ signal, snapshot })
    await live(events)
    return new WeakRef(events)
  }
  const refs = [
    await subscribe(() => {}),
    await subscribe(
      () => {},
      () => 1,
    ),
    await subscribe((events) => {
      const next = events.next()
      void events.return!()
      return next
    }),
    await subscribe((events) => {
      void events.next()
    }),
  ]
  expect(await held(refs)).toEqual([false, false, false, true])
  expect([signal.aborted, topic.cursor.slice(-2)]).toEqual([false, '.0'])
})
