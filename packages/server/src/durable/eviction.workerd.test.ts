import { describe } from 'vitest'
import { everywhere, sometimes } from '../../test/eviction/evictor.ts'
import { asleep } from '../../test/eviction/matrix.ts'
import { every } from '../../test/suites/every.ts'
import { fuzz } from '../../test/suites/fuzz.ts'
import { origins } from '../../test/suites/handshake.ts'

describe('a Durable Object that hibernates', () => {
  const place = asleep('awake')
  every(place, ['calls', 'streams', 'values', 'errors', 'reverse', 'handshake', 'cost', 'frames'])
  describe('origins', () => origins(place, 'chat.test'))
})

describe('a Durable Object that is evicted between any two frames', () => {
  const place = asleep('evicted', () => everywhere)
  every(place, ['calls', 'streams', 'values', 'errors', 'reverse', 'handshake', 'cost', 'frames'])
  describe('origins', () => origins(place, 'chat.test'))
})

describe.each([1, 2])('a Durable Object that is evicted now and then (seed %i)', (seed) => {
  const place = asleep(`seed ${seed}`, () => sometimes(seed, 3))
  every(place, ['calls', 'reverse', 'errors'])
})

describe('a Durable Object that is evicted now and then', () => {
  fuzz(
    asleep('fuzz', () => sometimes(3, 2)),
    300,
  )
})
