import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDeadlines, createTimers } from './deadlines.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const item = (ms: number, expire = () => {}) => ({
  deadline: (Date.now() + ms) as number | undefined,
  expire: vi.fn(expire),
})

describe.each([
  ['createDeadlines', createDeadlines],
  ['createTimers', createTimers],
])('%s', (_name, create) => {
  it('ends each at its time, once, whatever the order they came in', () => {
    const deadlines = create()
    const order: string[] = []
    const items = [300, 100, 200, 100].map((ms, i) => item(ms, () => order.push(`${ms} ${i}`)))
    for (const item of items) deadlines.add(item)
    vi.advanceTimersByTime(99)
    expect(order).toEqual([])
    vi.advanceTimersByTime(1)
    expect(order).toEqual(['100 1', '100 3'])
    vi.advanceTimersByTime(1_000)
    expect(order).toEqual(['100 1', '100 3', '200 2', '300 0'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets what was deleted be, and leaves no timer behind', () => {
    const deadlines = create()
    const [first, second] = [item(100), item(200)]
    deadlines.add(first)
    deadlines.add(second)
    deadlines.delete(first)
    vi.advanceTimersByTime(150)
    expect(first.expire).not.toHaveBeenCalled()
    deadlines.delete(second)
    deadlines.delete(second)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000)
    expect(second.expire).not.toHaveBeenCalled()
  })

  it('lets be what has no deadline any more', () => {
    const deadlines = create()
    const taken = item(100)
    deadlines.add(taken)
    taken.deadline = undefined
    vi.advanceTimersByTime(1_000)
    expect(taken.expire).not.toHaveBeenCalled()
  })

  it('ends at once what comes too late', () => {
    const deadlines = create()
    const late = item(-5)
    deadlines.add(late)
    expect(late.expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(late.expire).toHaveBeenCalledTimes(1)
  })
})

describe('createDeadlines', () => {
  it('keeps one timer for all', () => {
    const deadlines = createDeadlines()
    const items = Array.from({ length: 100 }, (_, i) => item(1_000 + (i % 7)))
    for (const item of items) deadlines.add(item)
    expect(vi.getTimerCount()).toBe(1)
    for (const item of items.slice(1)) deadlines.delete(item)
    expect(vi.getTimerCount()).toBe(1)
    deadlines.delete(items[0]!)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts anew after the last one was deleted', () => {
    const deadlines = createDeadlines()
    const first = item(100)
    deadlines.add(first)
    deadlines.delete(first)
    const second = item(5_000)
    deadlines.add(second)
    vi.advanceTimersByTime(5_000)
    expect(second.expire).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits longer than a timer can', () => {
    const deadlines = createDeadlines()
    const set = vi.spyOn(globalThis, 'setTimeout')
    const far = item(2 ** 31 + 1_000)
    deadlines.add(far)
    // A timer asked for more goes off at once.
    expect(set.mock.lastCall![1]).toBe(2 ** 31 - 1)
    set.mockRestore()
    vi.advanceTimersByTime(2 ** 31 + 999)
    expect(far.expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(far.expire).toHaveBeenCalledTimes(1)
  })

  it('takes what is added and deleted while others end', () => {
    const deadlines = createDeadlines()
    const [deleted, added] = [item(100), item(200)]
    const ending = item(100, () => {
      deadlines.delete(ending)
      deadlines.delete(deleted)
      deadlines.add(added)
    })
    deadlines.add(ending)
    deadlines.add(deleted)
    vi.advanceTimersByTime(200)
    expect([ending, deleted, added].map(({ expire }) => expire.mock.calls.length)).toEqual([1, 0, 1])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends the others beside one without a deadline', () => {
    const deadlines = createDeadlines()
    const stream = { deadline: undefined, expire: vi.fn() }
    const call = item(100)
    deadlines.add(stream)
    deadlines.add(call)
    vi.advanceTimersByTime(100)
    expect(call.expire).toHaveBeenCalledTimes(1)
    deadlines.delete(stream)
    expect(vi.getTimerCount()).toBe(0)
    expect(stream.expire).not.toHaveBeenCalled()
  })
})
