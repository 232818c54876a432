import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { defineContract } from '../../contract/src/index.ts'
import { implement } from '../../router/src/index.ts'
import { errorOf, outcome, sleep } from '../../server/test/suites/place.ts'
import type { TestRouter } from '../../server/test/suites/router.ts'
import { createClient, type RichClientOptions } from './index.ts'

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))
afterEach(() => {
  expect(stray).toEqual([])
})
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.closeAllConnections()
})

type Message = [op: number, id: number, ...fields: never[]]
type Answer = (send: (frame: unknown) => void, message: Message, socket: WebSocket) => void

/** A server that says what a test tells it to, and a client of it. */
const against = async (answer: Answer, options: RichClientOptions = {}) => {
  const http = createServer()
  servers.push(http)
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'pairwire.1' })
  const heard: Message[] = []
  sockets.on('connection', (socket) => {
    const send = (frame: unknown) =>
      socket.send(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame))
    socket.on('message', (data, isBinary) => {
      if (isBinary) return
      const frame = JSON.parse(String(data))
      for (const message of Array.isArray(frame[0]) ? frame : [frame]) {
        heard.push(message)
        answer(send, message, socket)
      }
    })
  })
  await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve))
  const url = `ws://localhost:${(http.address() as AddressInfo).port}`
  const client = createClient<TestRouter>(url, {
    WebSocket: WebSocket as never,
    // How it comes back is tested elsewhere.
    reconnect: { attempts: 0 },
    ...options,
  })
  const states: unknown[] = []
  client.$connection.on('state', (state, { code }) => states.push(code === undefined ? state : [state, code]))
  onTestFinished(() => {
    client.$connection.close()
    for (const socket of sockets.clients) socket.terminate()
    http.close()
  })
  return { client, heard, states }
}
const WELCOME = [
  1,
  { session: 's', epoch: 'e', heartbeat: 0, limits: { window: 262_144, message: 1_048_576, calls: 256 } },
]
/** Says welcome, and leaves the calls to a test. */
const polite =
  (answer: Answer = () => {}): Answer =>
  (send, message, socket) => {
    if (message[0] === 0) send(WELCOME)
    else answer(send, message, socket)
  }
/** Answers one call with these frames. */
const saying = (...frames: unknown[]) =>
  polite((send, [op]) => {
    if (op === 2) for (const frame of frames) send(frame)
  })

describe('a server that says nothing', () => {
  it('costs a call its time, and no more', async () => {
    const { client } = await against(() => {})
    const since = Date.now()
    expect((await outcome(client.add({ a: 1, b: 2 }, { timeout: 80 })))[0]).toBe('DEADLINE_EXCEEDED')
    expect(Date.now() - since).toBeLessThan(1_000)
  })

  it('is told of a call that ran out of time', async () => {
    const { client, heard } = await against(polite())
    await outcome(client.add({ a: 1, b: 2 }, { timeout: 50 }))
    await vi.waitFor(() => expect(heard.map(([op]) => op)).toEqual([0, 2, 3]))
  })

  it('leaves what was never sent unexecuted, where there is no server at all', async () => {
    const client = createClient<TestRouter>('ws://localhost:1', {
      WebSocket: WebSocket as never,
      reconnect: { attempts: 0 },
    })
    const error = await errorOf(client.nothing())
    expect([error.code, error.executed, error.message]).toEqual([
      'UNAVAILABLE',
      'no',
      expect.stringContaining('could not connect'),
    ])
    expect(client.$connection.state).toBe('closed')
  })
})

describe('what a server says first', () => {
  const first = [
    'garbage',
    '',
    [],
    {},
    null,
    [[]],
    [7, 1, 3],
    [11],
    [0, 1, '', {}],
    [2, 2, 'name', 'x'],
    5,
    new Uint8Array(3),
  ]
  it.each(first.map((frame) => [frame]))('ends the socket, where it is no welcome: %o', async (frame) => {
    const { client, states } = await against((send, [op]) => op === 0 && send(frame))
    expect(await outcome(client.nothing())).toEqual(['UNAVAILABLE', 'no'])
    expect(states.at(-1)).toEqual(['closed', 4000])
  })

  it.each([[[1]], [[1, null]], [[1, 5]], [[1, []]], [[1, { limits: {} }]], [[1, { limits: { message: 'x' } }]]])(
    'is a welcome or none, whatever it lacks: %o',
    async (welcome) => {
      const { client } = await against((send, [op, id]) => send(op === 0 ? welcome : [7, id]))
      expect((await outcome(client.nothing()))[0]).toMatch(/^(ok|UNAVAILABLE)$/)
    },
  )
})

describe('what a server answers', () => {
  it('for calls it was never asked is ignored', async () => {
    const { client } = await against(
      saying(
        [7, 99, 1],
        [8, 99, {}],
        [9, 99, 1],
        [10, 99],
        [6, 99, 5],
        [6, 99, -5],
        [3, 2],
        [4, 2, 1],
        [5, 2],
        [7, 1, 3],
      ),
    )
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    expect(client.$connection.state).toBe('open')
  })

  it('twice is heard once', async () => {
    const { client } = await against(saying([7, 1, 3], [7, 1, 4], [8, 1, { code: 'INTERNAL' }], [9, 1, 5], [10, 1]))
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    await sleep(20)
    expect(client.$connection.state).toBe('open')
  })

  it('to a query with events, or to a subscription with a result, fails that call', async () => {
    const events = await against(saying([9, 1, 5], [9, 1, 6]))
    expect((await outcome(events.client.add({ a: 1, b: 2 })))[0]).toMatch(/^(FAILED_PRECONDITION|UNIMPLEMENTED)$/)
    const result = await against(saying([7, 1, 5]))
    const iterate = async () => {
      for await (const _ of result.client.count(1));
    }
    expect((await outcome(iterate()))[0]).toMatch(/^(FAILED_PRECONDITION|UNIMPLEMENTED)$/)
    expect([events.client.$connection.state, result.client.$connection.state]).toEqual(['open', 'open'])
  })

  it('beyond every window ends the socket', async () => {
    const block = 'x'.repeat(1_000_000)
    const { client, states } = await against(
      polite((send, [op]) => {
        if (op === 2) for (let i = 0; i < 80; i++) send(`[9,1,"${block}"]`)
      }),
    )
    const iterator = client.count(1)[Symbol.asyncIterator]()
    await iterator.next()
    await vi.waitFor(() => expect(states.at(-1)).toEqual([expect.any(String), 4000]), 5_000)
    const rest = async () => {
      for (;;) if ((await iterator.next()).done) return
    }
    expect(await outcome(rest())).toEqual(['UNAVAILABLE', 'unknown'])
  })

  it('with credit that was never asked for ends the socket', async () => {
    const { client } = await against(saying([6, 1, 5_000_000]))
    const endless = async function* () {
      for (let i = 0; i < 200; i++) {
        yield 'text'
        await sleep(5)
      }
    }
    expect(await outcome(client.stall('x', { stream: endless() }))).toEqual(['UNAVAILABLE', 'unknown'])
  })

  const bad = [
    [15, 1],
    ['7', 1],
    [7, '1', 3],
    [7, 0],
    [7, 1.5],
    [2, 1, 'x'],
    [0, 1, '', {}],
    [[[7, 1, 3]]],
    'x',
    '7',
    {},
  ]
  it.each(bad.map((frame) => [frame]))('ends the socket, where it is no message: %o', async (frame) => {
    const router = implement(defineContract({})).handlers({})
    const { client } = await against(saying(frame), { router })
    expect(await outcome(client.nothing())).toEqual(['UNAVAILABLE', 'unknown'])
  })

  const errors: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'undefined'],
    [5, 'undefined'],
    ['text', 'undefined'],
    [[], 'undefined'],
    [{}, 'undefined'],
    [{ code: 5, message: {} }, '5'],
    [{ code: 'NOT_FOUND' }, 'NOT_FOUND'],
    [{ code: 'X', message: 'm', data: null, executed: null, retryAfter: null, cause: 5, stack: 's', name: 'n' }, 'X'],
    [JSON.parse('{"code":"__proto__","message":"m","__proto__":{"polluted":1},"constructor":1}'), '__proto__'],
  ]
  it.each(errors)('may be an error of any shape: %o', async (said, code) => {
    const { client } = await against(saying([8, 1, said]))
    const error = await errorOf(client.nothing())
    expect([error.code, error.remote, error.name]).toEqual([code, true, 'RpcError'])
    expect(typeof error.message).toBe('string')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(client.$connection.state).toBe('open')
  })

  const marks: [unknown, unknown][] = [
    [{ a: 1 }, { '__proto__.polluted': ['undefined'] }],
    [{ a: 1 }, { b: ['Date'] }],
    [[1], { length: ['undefined'] }],
    [{ a: 'x' }, { a: ['Function'] }],
    [{ a: '9'.repeat(500_000) }, { a: ['bigint'] }],
    [{ a: [0, 5] }, { a: [['bytes', 'Uint8Array']] }],
    [{}, 5],
    [{}, 'x'],
  ]
  it.each(marks)('fails the call where it cannot be read: %o', async (value, mark) => {
    const { client, heard } = await against(saying([7, 1, value, mark]))
    expect(await outcome(client.nothing())).toEqual(['INTERNAL', 'yes'])
    expect(client.$connection.state).toBe('open')
    const stream = await against(saying([9, 1, value, null, mark]))
    const iterate = async () => {
      for await (const _ of stream.client.count(1));
    }
    expect(await outcome(iterate())).toEqual(['INTERNAL', 'yes'])
    await vi.waitFor(() => expect(stream.heard.at(-1)).toEqual([3, 1]))
    expect(heard.length).toBeGreaterThan(1)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('too deep fails the call', async () => {
    const { client } = await against(saying(`[7,1,${'['.repeat(70)}${']'.repeat(70)}]`))
    expect(await outcome(client.nothing())).toEqual(['INTERNAL', 'yes'])
  })
})

describe('a server that closes', () => {
  const codes = [
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1011, 1012, 1013, 1014],
    ...[4000, 4001, 4002, 4003, 4004, 4005, 4006, 4008, 4100, 4101, 4102, 4103, 4104, 4105, 4300, 4301],
  ]
  it.each(codes)('with %i ends what is pending, with the truth', async (code) => {
    const { client, states } = await against(
      polite((_send, [op, id], socket) => op === 2 && id === 5 && socket.close(code, 'the reason')),
    )
    const first = outcome(client.nothing())
    const events: unknown[] = []
    client.count(1).subscribe({ onError: ({ code, executed }) => events.push([code, executed]) })
    const aborted = new AbortController()
    const cancelled = outcome(client.nothing({} as never, { signal: aborted.signal }))
    aborted.abort()
    const error = errorOf(client.nothing())
    expect(await first).toEqual(['UNAVAILABLE', 'unknown'])
    expect(await cancelled).toEqual(['CANCELLED', expect.any(String)])
    expect((await error).message).toContain(`${code}`)
    expect((await error).message).toContain('the reason')
    expect(events).toEqual([['UNAVAILABLE', 'unknown']])
    expect(states).toEqual(['connecting', 'open', ['closed', code]])
  })

  it('before its welcome leaves unexecuted what waited for it', async () => {
    const { client } = await against((_send, [op], socket) => op === 0 && socket.close(4101))
    const sent = outcome(client.nothing())
    const waiting = outcome(client.echo('x'.repeat(900_000)))
    expect([await sent, await waiting]).toEqual([
      ['UNAVAILABLE', 'no'],
      ['UNAVAILABLE', 'no'],
    ])
  })

  it('without a word ends what is pending', async () => {
    const { client, states } = await against(polite((_send, [op], socket) => op === 2 && socket.terminate()))
    expect(await outcome(client.nothing())).toEqual(['UNAVAILABLE', 'unknown'])
    expect(states.at(-1)).toEqual(['closed', 1006])
  })
})
