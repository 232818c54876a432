import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'

const ask = (headers: Record<string, string>, path = 'main') =>
  exports.default.fetch(`http://chat.test/${path}`, { headers })

describe('an upgrade in a Worker', () => {
  it.each(['main', 'object/main'])('is answered with the subprotocol: %s', async (path) => {
    for (const offered of ['pairwire.1', 'other, pairwire.1']) {
      const response = await ask({ Upgrade: 'websocket', 'Sec-WebSocket-Protocol': offered }, path)
      expect([response.status, response.headers.get('Sec-WebSocket-Protocol')]).toEqual([101, 'pairwire.1'])
      response.webSocket?.accept()
      response.webSocket?.close()
    }
  })

  it('is refused with 400 without the subprotocol', async () => {
    for (const headers of [{}, { 'Sec-WebSocket-Protocol': 'other' }]) {
      const response = await ask({ Upgrade: 'websocket', ...headers })
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('pairwire.1')])
    }
  })

  it('is what a plain request is told to make', async () => {
    const response = await ask({})
    expect([response.status, response.headers.get('Upgrade')]).toEqual([426, 'websocket'])
    expect(await response.text()).toContain('createClient')
  })
})
