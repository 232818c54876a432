import { describe } from 'vitest'
import { everywhere } from '../../test/eviction/evictor.ts'
import { asleep } from '../../test/eviction/matrix.ts'
import { every } from '../../test/suites/every.ts'
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
