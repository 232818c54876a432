import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Tracked } from '@pairwire/contract'
import { expect, vi } from 'vitest'
import type { TopicEvents } from '../src/topic.ts'

/** A new object; each `run` is in the instance that is awake, or wakes it. */
export const object = () => {
  const stub = env.OBJECT.getByName(crypto.randomUUID())
  const run = <R>(inside: (state: DurableObjectState) => R | Promise<R>) =>
    runInDurableObject(stub, (_, state) => inside(state))
  return { run, evict: () => evictDurableObject(stub) }
}
/** The next `count` events. */
export const take = async <T>(events: TopicEvents<T>, count: number) => {
  const got: Tracked<T>[] = []
  while (got.length < count) got.push((await events.next()).value!)
  return got
}
export const data = async <T>(events: TopicEvents<T>, count: number) =>
  (await take(events, count)).map(({ data }) => data)
export const done = { done: true, value: undefined }
export const lost = (events: AsyncIterator<unknown>) =>
  expect(events.next()).rejects.toMatchObject({ code: 'DATA_LOSS' })
export const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
/** Whether it has an answer, some turns later. */
export const isSettled = async (promise: Promise<unknown>) => {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let turn = 0; turn < 20; turn++) await null
  return settled
}
/** What the statements of `inside` cost. */
export const measure = async (state: DurableObjectState, inside: () => unknown) => {
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
export const rows = (state: DurableObjectState) =>
  Number(state.storage.sql.exec('SELECT count(*) AS n FROM pairwire_events').one().n)
