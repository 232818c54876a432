import { describe, inject } from 'vitest'
import { every } from '../../server/test/suites/every.ts'
import type { Place } from '../../server/test/suites/place.ts'

const at = (base: string): Place => ({
  connect: (server) => new WebSocket(`${base}/${server}`, ['pairwire.1']) as never,
})

describe('Chromium, with Node', () => every(at(inject('nodeUrl')), ['calls', 'streams', 'values', 'errors', 'reverse']))
describe('Chromium, with a Worker', () =>
  every(at(inject('workerdUrl')), ['calls', 'streams', 'values', 'errors', 'reverse', 'handshake', 'cost']))
describe('Chromium, with a Durable Object', () =>
  every(at(`${inject('workerdUrl')}/object`), ['calls', 'streams', 'values', 'reverse']))
