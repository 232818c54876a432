import { exports } from 'cloudflare:workers'
import { fuzz } from '../test/suites/fuzz.ts'

const connect = async (server: string) => {
  const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' }
  const response = await exports.default.fetch(`http://chat.test/${server}`, { headers })
  response.webSocket?.accept()
  return response.webSocket as never
}
fuzz({ connect }, 1_500)
