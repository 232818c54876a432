import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { serve } from '../test/suites/node.ts'
import { eventually, openRaw, type Place } from '../test/suites/place.ts'
import { createServer, defineContract, implement, query } from './index.ts'
import { listen } from './node.ts'

const node = await serve()
afterAll(() => node.close())
const place: Place = {
  connect: (server) => new WebSocket(`ws://${node.host}/${server}`, ['pairwire.1']) as never,
}

const ask = (url: string, headers: Record<string, string>) =>
  new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const asked = request(url, { headers })
    asked.on('response', (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    asked.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode!, headers: response.headers, text: '' })
    })
    asked.on('error', reject)
    asked.end()
  })
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
}

describe('an upgrade on Node', () => {
  it('is answered with the subprotocol, whatever else is offered', async () => {
    for (const offered of ['pairwire.1', 'other, pairwire.1', 'pairwire.1,other']) {
      const answer = await ask(`http://${node.host}/main`, { ...UPGRADE, 'Sec-WebSocket-Protocol': offered })
      expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([101, 'pairwire.1'])
    }
  })

  it.each([{}, { 'Sec-WebSocket-Protocol': 'other' }, { 'Sec-WebSocket-Protocol': 'pairwire.12' }])(
    'is refused with 400 without the subprotocol: %o',
    async (headers) => {
      const { status, text } = await ask(`http://${node.host}/main`, { ...UPGRADE, ...headers })
      expect([status, text]).toEqual([400, expect.stringContaining('pairwire.1')])
    },
  )

  it('is what a plain request is told to make', async () => {
    const contract = defineContract({ a: query({}) })
    const { url, close } = await listen(createServer(implement(contract).handlers({ a: () => {} })))
    const { status, text } = await ask(url.replace('ws:', 'http:'), {})
    expect([status, text]).toEqual([426, expect.stringContaining('createClient')])
    await close()
  })

  it('with a host that is none is refused, and the server lives', async () => {
    for (const Host of ['a b', 'x:y', '[', '%']) {
      const headers = { ...UPGRADE, 'Sec-WebSocket-Protocol': 'pairwire.1', Host }
      expect((await ask(`http://${node.host}/main`, headers)).status).toBe(400)
    }
    expect(await (await openRaw(place)).alive()).toBe(true)
  })
})

describe('connections', () => {
  it('closes one too many with 4006, and takes another when one has gone', async () => {
    const first = await openRaw(place, 'one')
    expect(await first.alive()).toBe(true)
    expect(await (await openRaw(place, 'one')).end()).toMatchObject({ code: 4006 })
    expect(await first.alive()).toBe(true)
    first.socket.close()
    await first.end()
    const next = await eventually(
      async () => {
        const raw = await openRaw(place, 'one')
        return (await raw.until(([op]) => op === 1, 500)) !== undefined
      },
      (lives) => lives,
    )
    expect(next).toBe(true)
  })
})

describe('the request', () => {
  it('that authenticate and context see is one, and at each refresh another that says the same', async () => {
    const seen: Request[] = []
    const told: unknown[] = []
    const see = (request: Request) => {
      seen.push(request)
      told.push([request.url, request.method, request.headers.get('cookie'), request.headers.get('x-list')])
    }
    const server = createServer(implement(defineContract({ a: query({}) })).handlers({ a: () => {} }), {
      authenticate: async ({ request }) => see(request),
      context({ request }) {
        see(request)
        return {}
      },
    })
    const { url, close } = await listen(server, { path: '/rpc' })
    const headers = { cookie: 'user="ann"; n=1', 'x-list': 'ä, b' }
    const raw = await openRaw({ connect: () => new WebSocket(`${url}?q=1`, ['pairwire.1'], { headers }) as never })
    await raw.until(([op]) => op === 1)
    for (const id of [1, 3]) {
      raw.send([2, id, '$refresh'])
      await raw.until(([op, answered]) => op === 7 && answered === id)
    }
    expect(seen).toHaveLength(6)
    expect(seen.map((request) => seen.indexOf(request))).toEqual([0, 0, 2, 2, 4, 4])
    expect(told).toEqual(
      Array(6).fill([`${url.replace('ws:', 'http:')}?q=1`, 'GET', headers.cookie, headers['x-list']]),
    )
    await close()
  })
})

describe('close', () => {
  it('of the listener does not wait for a socket that does not answer', async () => {
    const { url, close } = await listen(
      createServer(implement(defineContract({ a: query({}) })).handlers({ a: () => {} })),
    )
    const socket = new WebSocket(url, ['pairwire.1'])
    await once(socket, 'open')
    socket.pause()
    const began = performance.now()
    await close()
    expect(performance.now() - began).toBeLessThan(5_000)
    socket.terminate()
  })

  it('of the server tells every client, and its handlers', async () => {
    const contract = defineContract({ wait: query({}) })
    const reasons: unknown[] = []
    const wait = ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.aborted)
          resolve()
        })
      })
    const { url, close } = await listen(createServer(implement(contract).handlers({ wait })))
    const raw = await openRaw({ connect: () => new WebSocket(url, ['pairwire.1']) as never })
    await raw.until(([op]) => op === 1)
    raw.send([2, 1, 'wait'])
    raw.send([11])
    await raw.until(([op]) => op === 12)
    await close()
    expect(await raw.end()).toMatchObject({ code: 1001 })
    expect(reasons).toEqual([true])
  })
})
