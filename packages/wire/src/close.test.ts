import { expect, it } from 'vitest'
import { closeReason, ProtocolError } from './close.ts'

const size = (text: string) => new TextEncoder().encode(text).length

it('keeps a reason that fits', () => {
  expect(closeReason('')).toBe('')
  expect(closeReason('x'.repeat(123))).toBe('x'.repeat(123))
  expect(closeReason('é'.repeat(61))).toBe('é'.repeat(61))
})

it.each([
  ['x', 123],
  ['é', 61],
  ['漢', 41],
  ['😀', 30],
])('cuts a reason of %s after %i code points', (point, count) => {
  expect(closeReason(point.repeat(200))).toBe(point.repeat(count))
})

it('never cuts inside a code point, wherever it falls', () => {
  for (let before = 110; before <= 124; before++)
    for (const point of ['é', '漢', '😀']) {
      const reason = closeReason('x'.repeat(before) + point + 'y'.repeat(20))
      expect(size(reason)).toBeLessThanOrEqual(123)
      expect(size(reason)).toBeGreaterThan(123 - size(point))
      expect(new TextDecoder().decode(new TextEncoder().encode(reason))).toBe(reason)
    }
})

it('adds nothing after what did not fit', () => {
  expect(closeReason(`${'x'.repeat(122)}éyyy`)).toBe('x'.repeat(122))
})

it('weighs half of a surrogate pair as what is sent for it', () => {
  expect(closeReason('\ud800'.repeat(200))).toHaveLength(41)
})

it('is carried by an error with a code', () => {
  expect(new ProtocolError(4000, 'why')).toMatchObject({ code: 4000, message: 'why' })
})
