import { createLine, jsonCodec, type Line, type Packed, PEER_LIMITS } from '@pairwire/wire'
import { expect, it } from 'vitest'
import { Results } from './results.ts'

/** A line that counts the pings on it. */
const open = () => {
  const pushed: string[] = []
  const line: Line = createLine({ push: (text) => pushed.push(text), flush() {} }, jsonCodec, PEER_LIMITS, 2)
  return { line, pushed }
}
const answer = (weight = 100, text = ''): Packed => ({ text, bytes: undefined, weight })
const make = (max = 1_000_000) => new Results({ epoch: 'epoch' }, max)

it('keeps each result until it is confirmed, the newest of one id', () => {
  const results = make()
  const [one, other] = [answer(10, 'one'), answer(20, 'other')]
  results.keep(1, one, undefined)
  results.keep(3, other, undefined)
  expect([results.recall(1), results.recall(3), results.recall(5)]).toEqual([one, other, undefined])
  expect([results.size, results.bytes]).toEqual([2, 30])
  results.keep(1, other, undefined)
  expect([results.recall(1), results.size, results.bytes]).toEqual([other, 2, 40])
  expect([1, 3, 5].map((id) => results.forgot(id))).toEqual([false, false, false])
})

it('forgets the oldest beyond its bytes, and knows that it did', () => {
  const results = make(300)
  for (const id of [3, 1, 5]) results.keep(id, answer(100), undefined)
  expect([results.size, results.forgot(1)]).toEqual([3, false])
  results.keep(7, answer(100), undefined)
  expect([3, 1, 5, 7].map((id) => !!results.recall(id))).toEqual([false, true, true, true])
  expect(results.bytes).toBe(300)
  // A lower id may have been forgotten before; a higher one was not.
  expect([1, 2, 3, 4, 5].map((id) => results.forgot(id))).toEqual([true, true, true, false, false])
  // An older one that goes later takes nothing of that back.
  results.keep(8, answer(100), undefined)
  expect([1, 3, 4].map((id) => results.forgot(id))).toEqual([true, true, false])
  results.keep(9, answer(250), undefined)
  expect([results.size, results.bytes]).toEqual([1, 250])
  expect([7, 8, 9].map((id) => results.forgot(id))).toEqual([true, true, false])
})

it('forgets at once a result that is larger than its bytes', () => {
  const results = make(300)
  results.keep(1, answer(301), undefined)
  expect([results.size, results.bytes, results.forgot(1), results.recall(1)]).toEqual([0, 0, true, undefined])
})

it('keeps 4,096 results, however small', () => {
  const results = make()
  for (let id = 1; id <= 4_096; id++) results.keep(id, answer(0), undefined)
  expect([results.size, results.forgot(1)]).toEqual([4_096, false])
  results.keep(5_000, answer(0), undefined)
  expect([results.size, results.forgot(1), results.forgot(2)]).toEqual([4_096, true, false])
})

it('counts a result that is told again as new', () => {
  const results = make(300)
  for (const id of [1, 3, 5, 1, 7]) results.keep(id, answer(100), undefined)
  expect([1, 3, 5, 7].map((id) => !!results.recall(id))).toEqual([true, false, true, true])
})

it('asks how far the client has read, each 32 results or 16 KiB, and forgets what it has', () => {
  for (const [count, weight] of [
    [32, 1],
    [4, 4_096],
    [1, 20_000],
  ] as const) {
    const results = make()
    const { line, pushed } = open()
    for (let id = 1; id < count; id++) results.keep(id, answer(weight), line)
    expect(pushed).toEqual([])
    results.keep(count, answer(weight), line)
    expect(pushed).toEqual(['[11]'])
    // What comes behind the ping is not what the pong is about.
    results.keep(count + 1, answer(weight), line)
    results.confirm(line)
    expect([results.size, results.bytes]).toEqual([1, weight])
    expect([results.forgot(1), !!results.recall(count + 1)]).toEqual([false, true])
  }
})

it('asks again only when the last question was answered', () => {
  const results = make()
  const { line, pushed } = open()
  for (let id = 1; id <= 200; id++) results.keep(id, answer(1), line)
  expect(pushed).toHaveLength(1)
  results.confirm(line)
  expect(results.size).toBe(168)
  results.keep(201, answer(1), line)
  expect(pushed).toHaveLength(2)
  results.confirm(line)
  expect(results.size).toBe(0)
})

it('takes a pong for an answer only where it asked', () => {
  const results = make()
  const [one, other] = [open(), open()]
  results.keep(1, answer(), one.line)
  results.confirm(one.line)
  expect(results.size).toBe(1)
  for (let id = 2; id <= 32; id++) results.keep(id, answer(), one.line)
  expect(one.pushed).toHaveLength(1)
  results.confirm(other.line)
  expect(results.size).toBe(32)
  results.confirm(one.line)
  results.confirm(one.line)
  expect(results.size).toBe(0)
})

it('does not take the pong of one line for what was told again on another', () => {
  const results = make()
  const [one, other] = [open(), open()]
  for (let id = 1; id <= 32; id++) results.keep(id, answer(), one.line)
  results.keep(7, answer(), other.line)
  results.confirm(one.line)
  expect([results.size, !!results.recall(7)]).toEqual([1, true])
})

it('asks a client that is back, and lets go of what it did not ask for until it answers', () => {
  const results = make()
  const [one, other] = [open(), open()]
  results.keep(1, answer(), one.line)
  results.keep(3, answer(), undefined)
  results.keep(5, answer(), one.line)
  results.resume(other.line)
  expect(other.pushed).toEqual(['[11]'])
  // It asked for one again, and another ended meanwhile: neither is known to have come.
  results.keep(5, answer(), other.line)
  results.keep(7, answer(), other.line)
  results.confirm(other.line)
  expect([1, 3, 5, 7].map((id) => !!results.recall(id))).toEqual([false, false, true, true])
  expect([results.size, results.bytes]).toEqual([2, 200])
})

it('takes what it let go of so for a call that may have run, should it come again all the same', () => {
  const results = make()
  results.keep(1, answer(), open().line)
  const { line } = open()
  results.resume(line)
  results.confirm(line)
  expect([results.size, results.forgot(1)]).toEqual([0, true])
})

it('asks a client that is back for nothing where nothing is kept', () => {
  const { line, pushed } = open()
  make().resume(line)
  expect(pushed).toEqual([])
})

it('knows of calls that nobody will ever know the end of', () => {
  const results = make()
  results.lose([3, 7])
  expect([1, 3, 5, 7].map((id) => results.forgot(id))).toEqual([false, true, false, true])
})

it('tells what it weighs, as that changes', () => {
  let weight = 0
  const results = new Results({ epoch: 'epoch' }, 300, {
    weigh(change) {
      weight += change
    },
  })
  for (const id of [1, 3, 5, 7, 5]) {
    results.keep(id, answer(100), undefined)
    expect(weight).toBe(results.bytes)
  }
  results.keep(9, answer(400), undefined)
  expect([weight, results.size]).toEqual([0, 0])
  results.keep(11, answer(200), undefined)
  results.clear()
  expect([weight, results.size, results.bytes]).toEqual([0, 0, 0])
})

it('takes a pong for the answer to the oldest ping of its own line', () => {
  const results = make()
  const [a, b] = [open(), open()]
  for (let id = 1; id <= 32; id++) results.keep(id, answer(), a.line)
  for (let id = 101; id <= 132; id++) results.keep(id, answer(), b.line)
  // Asked on b, it still waits for what was asked on a, and asks for nothing more there.
  for (let id = 33; id <= 64; id++) results.keep(id, answer(), a.line)
  expect([a.pushed.length, b.pushed.length]).toEqual([1, 1])
  results.confirm(a.line)
  expect([1, 32, 33, 101].map((id) => !!results.recall(id))).toEqual([false, false, true, true])
  results.confirm(b.line)
  expect([33, 101].map((id) => !!results.recall(id))).toEqual([true, false])
  // Two on one line: the first pong says nothing of the second ping.
  results.keep(65, answer(), a.line)
  results.resume(b.line)
  results.resume(b.line)
  results.confirm(b.line)
  expect([33, 65].map((id) => !!results.recall(id))).toEqual([true, true])
  results.confirm(b.line)
  expect([33, 65].map((id) => !!results.recall(id))).toEqual([false, false])
  expect(results.forgot(65)).toBe(true)
})

it('goes on with a ping that an earlier process sent', () => {
  const before = make()
  const { line } = open()
  for (let id = 1; id <= 32; id++) before.keep(id, answer(), line)
  const asked = before.asked(line)!
  const after = new Results(before, 1_000_000)
  const again = open()
  after.await(again.line, asked)
  after.adopt(again.line, new Set())
  for (let id = 33; id <= 64; id++) after.keep(id, answer(), again.line)
  expect(again.pushed).toEqual([])
  after.confirm(again.line)
  expect([1, 32, 33].map((id) => !!after.recall(id))).toEqual([false, false, true])
  after.keep(65, answer(), again.line)
  expect(again.pushed).toEqual(['[11]'])
})
