import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTokenBucket } from './token-bucket.ts'

const make = (rate: number, burst: number) => {
  const clock = { now: 1_000_000 }
  const bucket = createTokenBucket(rate, burst, () => clock.now)
  const times = (count: number) => Array.from({ length: count }, () => bucket.take())
  return { clock, take: () => bucket.take(), times }
}

it('lets a burst through at once, then as many as come in', () => {
  const { clock, take, times } = make(10, 3)
  expect(times(3)).toEqual([0, 0, 0])
  expect(take()).toBe(100)
  clock.now += 99
  expect(take()).toBeGreaterThan(0)
  clock.now += 1
  expect(take()).toBe(0)
  expect(take()).toBe(100)
})

it('holds no more than the burst, however long nobody comes', () => {
  const { clock, times } = make(10, 2)
  times(2)
  clock.now += 1e9
  expect(times(3)).toEqual([0, 0, 100])
})

it('tells each of a crowd a time of its own', () => {
  const { clock, take, times } = make(10, 1)
  expect(times(5)).toEqual([0, 100, 200, 300, 400])
  clock.now += 50
  expect(take()).toBe(450)
  clock.now += 50
  // A token is there: who is refused after it is first in line again.
  expect(times(3)).toEqual([0, 100, 200])
})

it('advises whole milliseconds, at least 1 and at most a minute', () => {
  expect(make(3, 1).times(4)).toEqual([0, 334, 667, 1_000])
  expect(make(1e6, 1).times(3)).toEqual([0, 1, 1])
  expect(make(0.001, 1).times(2)).toEqual([0, 60_000])
  expect(make(1, 1).times(100).at(-1)).toBe(60_000)
})

it('takes a fraction of a burst for what it is', () => {
  const { clock, take, times } = make(1, 1.5)
  expect(times(2)).toEqual([0, 500])
  clock.now += 500
  expect(take()).toBe(0)
})

it('does not lose a token to sums of fractions', () => {
  const { clock, take } = make(100, 1)
  take()
  // Ten tenths make 0.9999999999999999.
  for (let i = 1; i < 10; i++) {
    clock.now++
    expect(take()).toBeGreaterThan(0)
  }
  clock.now++
  expect(take()).toBe(0)
})

it('gives nothing for a clock that goes backwards, and goes on from there', () => {
  const { clock, take } = make(10, 1)
  take()
  clock.now -= 500_000
  expect(take()).toBe(100)
  clock.now += 99
  expect(take()).toBe(101)
  clock.now += 1
  expect(take()).toBe(0)
})

it('has no limit for a rate of 0 or Infinity', () => {
  for (const rate of [0, Number.POSITIVE_INFINITY]) expect(new Set(make(rate, 1).times(1_000))).toEqual(new Set([0]))
})

it('uses the time of day by itself', () => {
  const bucket = createTokenBucket(0.001, 1)
  expect([bucket.take(), bucket.take()]).toEqual([0, 60_000])
})

it('refuses a rate or burst that is none', () => {
  for (const rate of [-1, Number.NaN, undefined as never]) expect(() => createTokenBucket(rate, 1)).toThrow(RangeError)
  for (const burst of [0, 0.5, -1, Number.NaN]) expect(() => createTokenBucket(1, burst)).toThrow(RangeError)
})

it('always has a token for the first who was refused, once it comes back as advised', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.02, max: 5_000, noNaN: true }),
      fc.double({ min: 1, max: 50, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 40 }),
      (rate, burst, pauses) => {
        const { clock, take } = make(rate, burst)
        for (const pause of pauses) {
          take()
          clock.now += pause
        }
        clock.now += 1e6
        let wait = take()
        while (wait === 0) wait = take()
        expect(wait).toBeLessThanOrEqual(Math.ceil(1_000 / rate) + 1)
        clock.now += wait
        expect(take()).toBe(0)
      },
    ),
  )
})

it('never lets through more than the burst and what came in', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 1_000, noNaN: true }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 100 }),
      (rate, burst, pauses) => {
        const { clock, take } = make(rate, burst)
        const start = clock.now
        let taken = 0
        for (const pause of pauses) {
          clock.now += pause
          while (take() === 0) taken++
          expect(taken).toBeLessThanOrEqual(burst + ((clock.now - start) * rate) / 1_000 + 1e-6)
          expect(taken).toBeGreaterThan(burst - 1 - 1e-6)
        }
      },
    ),
  )
})
