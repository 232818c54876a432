import { expect, it } from 'vitest'
import { originOf, requestFrom } from './origin-request.ts'
import { vouch, vouchedFor } from './vouched.ts'

const upgrade = (headers: Record<string, string> = {}, cf?: Record<string, unknown>) =>
  new Request('https://rooms.test/rooms/a%20b?x=1&x=2#never', {
    headers: {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'k',
      'Sec-WebSocket-Protocol': 'p',
      ...headers,
    },
    ...(cf && { cf: cf as CfProperties }),
  })
/** Through JSON, as it is written down. */
const again = (request: Request) => requestFrom(JSON.parse(JSON.stringify(originOf(request))))

it('keeps the URL, and the headers that are not of the handshake', () => {
  const headers = { Cookie: 'a=1; b=2', Origin: 'https://page.test', 'X-Many': 'one, two', 'X-Empty': '' }
  const request = again(upgrade(headers))
  expect(request.url).toBe(upgrade().url)
  expect(Object.fromEntries(request.headers)).toEqual(Object.fromEntries(new Headers(headers)))
  expect(request.headers.has('upgrade')).toBe(false)
})

it('keeps what was vouched for, with all its types', () => {
  const identity = { name: 'ann', since: new Date(5), of: new Map([['a', 1n]]) }
  expect(vouchedFor(again(vouch(upgrade(), { identity, name: 'a b' })))).toEqual({ identity, name: 'a b' })
  expect(vouchedFor(again(vouch(upgrade(), { identity: undefined, name: 'x' })))).toEqual({
    identity: undefined,
    name: 'x',
  })
})

it('keeps nothing else of what the platform says, and takes no header for it', () => {
  const request = again(
    upgrade({ cf: '{"pairwire":{"name":"x","json":"1"}}', pairwire: '{"json":"1"}' }, { country: 'CH' }),
  )
  expect(vouchedFor(request)).toBeUndefined()
  expect((request.cf as { country?: string } | undefined)?.country).toBeUndefined()
})
