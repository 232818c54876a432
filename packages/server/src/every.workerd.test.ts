import { exports } from 'cloudflare:workers'
import { describe } from 'vitest'
import { every } from '../test/suites/every.ts'
import { origins } from '../test/suites/handshake.ts'
import type { Place } from '../test/suites/place.ts'

const at = (base: string): Place => ({
  async connect(server, headers) {
    const response = await exports.default.fetch(`${base}/${server}`, {
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1', ...headers },
    })
    if (!response.webSocket) throw new Error(`no WebSocket: ${response.status} ${await response.text()}`)
    response.webSocket.accept()
    return response.webSocket as never
  },
})

describe('a Worker', () => {
  const place = at('http://chat.test')
  every(place)
  describe('origins', () => origins(place, 'chat.test'))
})
describe('a Durable Object', () => {
  const place = at('http://chat.test/object')
  every(place, ['calls', 'streams', 'values', 'errors', 'reverse', 'handshake', 'cost', 'frames'])
})
