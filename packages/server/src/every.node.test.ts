import { afterAll, describe, expect } from 'vitest'
import { WebSocket as Ws } from 'ws'
import { every } from '../test/suites/every.ts'
import { origins } from '../test/suites/handshake.ts'
import { serve } from '../test/suites/node.ts'
import type { Place } from '../test/suites/place.ts'

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))
const node = await serve()
afterAll(async () => {
  await node.close()
  expect(stray).toEqual([])
})

const ws: Place = {
  connect: (server, headers) =>
    new Ws(`ws://${node.host}/${server}`, ['pairwire.1'], { ...(headers && { headers }) }) as never,
}
const own: Place = {
  connect: (server) => new WebSocket(`ws://${node.host}/${server}`, ['pairwire.1']) as never,
}

describe('Node, with the client of ws', () => {
  every(ws)
  describe('origins', () => origins(ws, node.host))
})
describe('Node, with the client of Node', () =>
  every(own, ['calls', 'streams', 'values', 'reverse', 'handshake', 'cost']))
