import { createRichCodec, DEPTH, richTypes } from '@pairwire/wire'
import { expect, it } from 'vitest'
import { object } from '../../test/topics.ts'
import { TopicReader } from '../topic-reader.ts'
import { EventCache } from './event-cache.ts'
import { type Shared, SqliteLog } from './sqlite-log.ts'
import { TopicTable } from './topic-table.ts'

const made = ({ storage }: DurableObjectState) => {
  const shared: Shared = { table: new TopicTable(storage), cache: new EventCache(9, 9_999), awaited: new Set() }
  const retention = { retain: 9, bytes: Infinity, age: Infinity }
  return { shared, log: new SqliteLog<number>(shared, 'a', retention, createRichCodec(DEPTH, richTypes)) }
}

it('is held while somebody waits for it, who would else wait for what nobody finds again', () =>
  object().run(async (state) => {
    const { shared, log } = made(state)
    const [one, other] = [new TopicReader(log, {}), new TopicReader(log, {})]
    expect(shared.awaited.size).toBe(0)
    const waits = [one.next(), other.next()]
    expect([...shared.awaited]).toEqual([log])
    await other.return()
    expect([...shared.awaited]).toEqual([log])
    log.append(1)
    await Promise.all(waits)
    expect(shared.awaited.size).toBe(0)
  }))

it('holds an event that was read once, not also as it is stored', () =>
  object().run(async (state) => {
    const { shared, log } = made(state)
    const reader = new TopicReader(log, {})
    log.append(1)
    const { value } = await reader.next()
    expect(shared.cache.get(value!.id)).toEqual({ size: 33, stored: undefined, event: value })
  }))

it('deletes nothing of another log that has its place after all was deleted', () =>
  object().run((state) => {
    const { shared } = made(state)
    const { table } = shared
    const event = { json: '1', marks: null, bytes: null, size: 33 }
    const old = table.open('a', () => 'old')
    void state.storage.deleteAll()
    const other = table.open('b', () => 'other')
    expect(other.id).toBe(old.id)
    for (const offset of [1, 2, 3]) table.append(other, { offset, at: 0, before: 33 * (offset - 1), size: 33 }, event)
    table.delete(old, 3)
    expect([table.oldest(old), table.mark(old, 1), table.page(old, 1, 3, 999)]).toEqual([undefined, undefined, []])
    expect(table.oldest(other)?.offset).toBe(1)
    table.delete(other, 3)
    expect(table.oldest(other)?.offset).toBe(3)
  }))
