import { expect, it } from 'vitest'
import { EventCache } from './event-cache.ts'

const stored = (size: number) => ({ json: '1', marks: null, bytes: null, size })
const known = (cache: EventCache, ids: string[]) => ids.filter((id) => cache.get(id))

it('holds as many events as it may, and lets the one go that was used longest ago', () => {
  const cache = new EventCache(3, Infinity)
  for (const id of ['a', 'b', 'c']) cache.add(id, stored(1))
  cache.get('a')
  cache.add('d', stored(1))
  expect(known(cache, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd'])
})

it('holds as many bytes as it may, but the newest event in any case', () => {
  const cache = new EventCache(Infinity, 10)
  for (const [id, size] of [
    ['a', 4],
    ['b', 6],
    ['c', 1],
  ] as const)
    cache.add(id, stored(size))
  expect(known(cache, ['a', 'b', 'c'])).toEqual(['b', 'c'])
  cache.add('large', stored(50))
  expect(known(cache, ['a', 'b', 'c', 'large'])).toEqual(['large'])
  cache.add('d', stored(10))
  expect(known(cache, ['large', 'd'])).toEqual(['d'])
})

it('counts what is there, not what has gone', () => {
  const cache = new EventCache(Infinity, 10)
  for (let n = 0; n < 100; n++) {
    cache.add(`${n}`, stored(10))
    cache.delete(`${n}`)
    cache.delete(`${n}`)
  }
  cache.add('a', stored(5))
  cache.add('b', stored(5))
  expect(known(cache, ['a', 'b'])).toEqual(['a', 'b'])
})

it('gives everyone the same, also where it is added again', () => {
  const cache = new EventCache(2, 10)
  const entry = cache.add('a', stored(5))
  expect([cache.add('a', stored(5)), cache.get('a')]).toEqual([entry, entry])
  expect(cache.add('a', stored(5))).toBe(entry)
  cache.add('b', stored(5))
  expect(cache.get('a')).toBe(entry)
})
