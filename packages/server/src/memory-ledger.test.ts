import { RpcError } from '@pairwire/contract'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { LedgerOutcome } from './ledger.ts'
import { type MemoryLedgerOptions, memoryLedger } from './memory-ledger.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const outcome = (json = '1'): LedgerOutcome => ({ kind: 'result', json, marks: '' })

/** A ledger of which each key was claimed and settled, one millisecond after the other. */
const filled = (options: MemoryLedgerOptions, ...keys: string[]) => {
  const ledger = memoryLedger(options)
  for (const key of keys) {
    expect(ledger.claim(key, 'in')).toBeUndefined()
    ledger.settle(key, outcome())
    vi.advanceTimersByTime(1)
  }
  return ledger
}

const refusal = (run: () => unknown): RpcError => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', executed: 'no' })
    return error as RpcError
  }
  throw new Error('it was not refused')
}

it('gives a key to one, and shows the others its record', () => {
  const ledger = memoryLedger()
  expect(ledger.durable).toBe(false)
  expect(ledger.claim('a', 'in')).toBeUndefined()
  expect(ledger.claim('a', 'other')).toEqual({ input: 'in', outcome: undefined })
  expect(ledger.claim('b', 'in')).toBeUndefined()
  const bytes = new Uint8Array([1])
  ledger.settle('a', { kind: 'error', json: '{}', marks: '[]', bytes })
  expect(ledger.claim('a', 'in')).toEqual({
    input: 'in',
    outcome: { kind: 'error', json: '{}', marks: '[]', bytes },
  })
  expect(ledger.size).toBe(2)
})

it('takes a released key back', () => {
  const ledger = memoryLedger()
  ledger.claim('a', 'in')
  ledger.release('a')
  expect(ledger.size).toBe(0)
  expect(ledger.claim('a', 'other')).toBeUndefined()
})

it('keeps the first outcome, whatever is said later', () => {
  const ledger = filled({}, 'a')
  ledger.settle('a', outcome('2'))
  ledger.release('a')
  expect(ledger.claim('a', 'in')).toMatchObject({ outcome: { json: '1' } })
})

it('knows nothing of keys that nobody claimed', () => {
  const ledger = memoryLedger()
  ledger.settle('a', outcome())
  ledger.release('a')
  expect(ledger.size).toBe(0)
  expect(ledger.claim('a', 'in')).toBeUndefined()
})

it('keeps a record for its window, counted from the end of the call', () => {
  const ledger = memoryLedger({ window: 100 })
  ledger.claim('a', 'in')
  vi.advanceTimersByTime(1_000)
  expect(ledger.claim('a', 'in')).toBeDefined()
  ledger.settle('a', outcome())
  vi.advanceTimersByTime(99)
  expect(ledger.claim('a', 'in')).toBeDefined()
  vi.advanceTimersByTime(1)
  expect(ledger.claim('a', 'in')).toBeUndefined()
})

it('keeps a record for ten minutes where nothing else is said', () => {
  const ledger = filled({}, 'a')
  vi.advanceTimersByTime(599_998)
  expect(ledger.claim('a', 'in')).toBeDefined()
  vi.advanceTimersByTime(1)
  expect(ledger.claim('a', 'in')).toBeUndefined()
})

it('never forgets a call that runs', () => {
  const ledger = memoryLedger({ window: 1 })
  ledger.claim('a', 'in')
  vi.advanceTimersByTime(1e9)
  expect(ledger.claim('a', 'in')).toEqual({ input: 'in', outcome: undefined })
})

it('is not misled by a time of day that is set', () => {
  const ledger = filled({ window: 1_000 }, 'a')
  vi.setSystemTime(Date.now() + 1e9)
  expect(ledger.claim('a', 'in')).toBeDefined()
  vi.setSystemTime(0)
  vi.advanceTimersByTime(999)
  expect(ledger.claim('a', 'in')).toBeUndefined()
})

it('forgets in the order of the ends, any number at once', () => {
  const ledger = memoryLedger({ window: 10 })
  for (const key of ['a', 'b', 'c']) ledger.claim(key, 'in')
  for (const key of ['c', 'a', 'b']) {
    ledger.settle(key, outcome())
    vi.advanceTimersByTime(1)
  }
  vi.advanceTimersByTime(7)
  expect(ledger.claim('d', 'in')).toBeUndefined()
  expect(ledger.size).toBe(3)
  expect(ledger.claim('a', 'in')).toBeDefined()
  expect(ledger.claim('c', 'in')).toBeUndefined()
  vi.advanceTimersByTime(2)
  ledger.claim('e', 'in')
  expect(ledger.size).toBe(3)
  // It goes on after all that was settled is gone.
  ledger.settle('e', outcome())
  vi.advanceTimersByTime(10)
  expect(ledger.claim('e', 'in')).toBeUndefined()
})

it('refuses new keys at the bound of entries, until the oldest is gone', () => {
  const ledger = filled({ window: 100, entries: 2 }, 'a', 'b')
  expect(refusal(() => ledger.claim('c', 'in')).retryAfter).toBe(98)
  // What is known is still answered.
  expect(ledger.claim('a', 'in')).toBeDefined()
  vi.advanceTimersByTime(98)
  expect(ledger.claim('c', 'in')).toBeUndefined()
  expect(refusal(() => ledger.claim('d', 'in')).retryAfter).toBe(1)
  ledger.release('c')
  expect(ledger.claim('d', 'in')).toBeUndefined()
})

it('cannot say when to try again while all of them run', () => {
  const ledger = memoryLedger({ entries: 1 })
  ledger.claim('a', 'in')
  expect(refusal(() => ledger.claim('b', 'in')).retryAfter).toBeUndefined()
})

it('stores an outcome past the bound of bytes, and refuses new keys until there is room', () => {
  const ledger = memoryLedger({ window: 100, bytes: 100_000 })
  ledger.claim('a', 'in')
  ledger.claim('b', 'in')
  ledger.settle('a', { ...outcome(), bytes: new Uint8Array(200_000) })
  expect(refusal(() => ledger.claim('c', 'in')).retryAfter).toBe(100)
  ledger.settle('b', outcome('"still stored"'))
  expect(ledger.claim('a', 'in')).toMatchObject({ outcome: { bytes: { length: 200_000 } } })
  expect(ledger.claim('b', 'in')).toMatchObject({ outcome: { json: '"still stored"' } })
  vi.advanceTimersByTime(100)
  expect(ledger.claim('c', 'in')).toBeUndefined()
})

it.each<[string, string, string, Partial<LedgerOutcome>]>([
  ['keys', 'k'.repeat(50_000), '', {}],
  ['inputs', 'k', 'i'.repeat(50_000), {}],
  ['texts', 'k', '', { json: 'j'.repeat(50_000) }],
  ['marks', 'k', '', { marks: 'm'.repeat(50_000) }],
  ['bytes', 'k', '', { bytes: new Uint8Array(100_000) }],
])('counts %s, and gives back what it counted', (_, key, input, part) => {
  const ledger = memoryLedger({ window: 100, bytes: 100_000 })
  for (let i = 0; i < 3; i++) {
    expect(ledger.claim(key, input)).toBeUndefined()
    ledger.settle(key, { ...outcome(), ...part })
    refusal(() => ledger.claim('other', 'in'))
    vi.advanceTimersByTime(100)
  }
  ledger.claim(key, input)
  ledger.release(key)
  // Had a byte too much or too little been counted each time, this number of small ones would not fit exactly.
  let fit = 0
  const fresh = memoryLedger({ bytes: 100_000 })
  for (const each of [ledger, fresh]) {
    let count = 0
    try {
      for (; ; count++) each.claim(`${count}`, 'in')
    } catch {}
    fit = fit || count
    expect(count).toBe(fit)
  }
  expect(fit).toBeGreaterThan(100)
})

it('counts also records that are all but empty', () => {
  const ledger = memoryLedger({ bytes: 1_000_000 })
  expect(() => {
    for (let i = 0; i < 10_000; i++) ledger.claim(`${i}`, '')
  }).toThrow('too many calls are remembered')
})

it('forgets everything when it is told to', () => {
  const ledger = filled({ entries: 2, window: 100 }, 'a')
  ledger.claim('b', 'in')
  ledger.clear()
  expect(ledger.size).toBe(0)
  expect(ledger.claim('a', 'in')).toBeUndefined()
  ledger.settle('b', outcome())
  expect(ledger.claim('b', 'in')).toBeUndefined()
  // What was settled before must not end what was claimed since.
  vi.advanceTimersByTime(100)
  expect(ledger.claim('a', 'in')).toBeDefined()
})

it('needs a constant time for each call, however many it remembers', () => {
  vi.useRealTimers()
  const ledger = memoryLedger({ window: 20 })
  const end = performance.now() + 5_000
  // A search through what is remembered, or through what was, would take minutes.
  for (let i = 0; i < 300_000; i++) {
    try {
      ledger.claim(`${i}`, 'in')
      ledger.settle(`${i}`, outcome())
    } catch {}
  }
  expect(performance.now()).toBeLessThan(end)
})

it('says which option makes no sense', () => {
  for (const name of ['window', 'entries', 'bytes'])
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never]) {
      const make = () => memoryLedger({ [name]: value })
      expect(make).toThrow(RangeError)
      expect(make).toThrow(name)
    }
  expect(memoryLedger({ window: 1, entries: 1, bytes: 1 }).claim('a', 'in')).toBeUndefined()
})
