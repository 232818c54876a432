import { env } from 'cloudflare:workers'
import { RpcError } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TestRoom } from '../../test/room.ts'
import { type RoomsOptions, rooms } from './rooms.ts'

type Env = typeof env
type Options = Partial<RoomsOptions<TestRoom, Env, unknown>>

const make = (options: Options = {}) =>
  rooms<TestRoom, Env>({ path: '/rooms/:name', namespace: (env) => env.ROOMS, ...options })

const UPGRADE = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' }
let names = 0
/** A name that no other test has. */
const fresh = () => `room ${++names}`
const urlOf = (name: string) => `http://chat.test/rooms/${encodeURIComponent(name)}`

interface Seen {
  status: number
  /** Of an answer that is no socket. */
  text?: string
  protocol?: string | null
  messages?: unknown[]
  code?: number
  reason?: string
}

/** What a client sees that waits until it is closed, or with `closes` false, until the object's first message. */
const connect = async (options: Options, url: string, init: RequestInit = {}, closes = true): Promise<Seen> => {
  const request = new Request(url, { ...init, headers: { ...UPGRADE, ...init.headers } })
  const response = await make(options).fetch(request, env)
  const socket = response.webSocket
  if (!socket) return { status: response.status, text: await response.text() }
  const messages: unknown[] = []
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve))
  const first = new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      messages.push(JSON.parse(data as string))
      resolve()
    })
  })
  socket.accept()
  const seen = { status: response.status, protocol: response.headers.get('Sec-WebSocket-Protocol'), messages }
  if (closes) {
    const { code, reason } = await closed
    return { ...seen, code, reason }
  }
  await first
  socket.close(1000, '')
  return seen
}

const enter = (options: Options, url: string, init?: RequestInit): Promise<Seen> => connect(options, url, init, false)
const from = (origin: string) => ({ headers: { Origin: origin } })
const woken = (name: string) => TestRoom.woken.get(name) ?? 0

/** What is reported instead of told. */
const reports = () => {
  const onError = vi.fn()
  return { onError, told: () => onError.mock.calls.map(([{ error, path }]) => [path, error.message]) }
}

afterEach(() => vi.restoreAllMocks())

describe('an upgrade at a room', () => {
  it('reaches the object of that name, which answers it', async () => {
    const name = fresh()
    expect(await enter({}, urlOf(name))).toEqual({
      status: 101,
      protocol: 'pairwire.1',
      messages: [expect.objectContaining({ name, object: name })],
    })
    await enter({}, urlOf(name))
    expect(woken(name)).toBe(1)
  })

  it('finds the name where the path says', async () => {
    for (const path of ['/:name', '/a/b/:name', '/:name/socket', '/a/:name/b']) {
      const name = fresh()
      const url = `http://chat.test${path.replace(':name', encodeURIComponent(name))}?name=other#x`
      expect((await enter({ path }, url)).messages).toEqual([expect.objectContaining({ object: name })])
    }
  })

  it.each(['a/b', 'ä ö', '50%', '..a', '日本', '👩‍👩‍👧', '?#&+', 'x'.repeat(128), '👍'.repeat(128)])(
    'has any name: %s',
    async (name) => {
      expect((await enter({}, urlOf(name))).messages).toEqual([expect.objectContaining({ name, object: name })])
    },
  )

  it.each(['', 'x'.repeat(129), 'a\u0000', '\n', '\u0085'])(
    'is closed for a bad name, and nobody is woken: %j',
    async (name) => {
      const namespace = vi.fn()
      const seen = await connect({ namespace }, urlOf(name))
      if (!name) expect(seen.status).toBe(404)
      else expect([seen.code, seen.reason]).toEqual([4003, expect.stringContaining('1 to 128 characters')])
      expect(namespace).not.toHaveBeenCalled()
    },
  )

  it('is told what is wrong with a name that cannot be decoded', async () => {
    const { code, reason } = await connect({}, 'http://chat.test/rooms/50%')
    expect([code, reason]).toEqual([4003, expect.stringContaining('encodeURIComponent')])
  })

  it('is answered by 404 at any other path', async () => {
    for (const path of ['', 'rooms', 'rooms/', 'rooms/a/b', 'rooms/a/', 'Rooms/a', 'x/rooms/a', 'roomsx/a'])
      expect((await connect({}, `http://chat.test/${path}`)).status).toBe(404)
    for (const path of ['rooms', 'rooms/socket', 'rooms//socket', 'rooms/a/b/socket'])
      expect((await connect({ path: '/rooms/:name/socket' }, `http://chat.test/${path}`)).status).toBe(404)
  })

  it('is refused with a text where it is none, or of another protocol, and nobody is woken', async () => {
    const authenticate = vi.fn()
    const name = fresh()
    for (const [status, text, headers] of [
      [426, 'createClient', { Upgrade: '' }],
      [400, 'pairwire.1', { 'Sec-WebSocket-Protocol': 'other' }],
    ] as const) {
      const seen = await connect({ authenticate }, urlOf(name), { headers })
      expect(seen).toEqual({ status, text: expect.stringContaining(text) })
    }
    expect([authenticate.mock.calls, woken(name)]).toEqual([[], 0])
  })
})

describe('an origin', () => {
  it('that may not connect is closed with 4003 and what to do; the object is not woken, nobody is asked who it is', async () => {
    const authenticate = vi.fn()
    const name = fresh()
    expect(await connect({ authenticate }, urlOf(name), from('https://evil.test'))).toEqual({
      status: 101,
      protocol: 'pairwire.1',
      messages: [],
      code: 4003,
      reason: "origin https://evil.test may not connect: add it to the server's origins",
    })
    expect([authenticate.mock.calls, woken(name)]).toEqual([[], 0])
  })

  it('is let in if it is the own host, or named', async () => {
    const name = fresh()
    await enter({}, urlOf(name), from('http://chat.test'))
    await enter({ origins: ['https://app.test'] }, urlOf(name), from('https://app.test'))
    await enter({ origins: '*' }, urlOf(name), from('null'))
    expect((await connect({ origins: ['https://app.test'] }, urlOf(name), from('http://chat.test'))).code).toBe(4003)
  })

  it('is refused, and the reason reported, where origins throws', async () => {
    const { onError, told } = reports()
    const origins = () => {
      throw new Error('secret')
    }
    const seen = await connect({ origins, onError }, urlOf(fresh()), from('http://chat.test'))
    expect([seen.code, seen.reason, told()]).toEqual([
      4003,
      expect.stringMatching(/^Internal error \(.+\)$/),
      [['origins', 'secret']],
    ])
  })
})

describe('authentication in the Worker', () => {
  it('gives the object an identity, with its rich types, beside what the platform says', async () => {
    const name = fresh()
    const authenticate = vi.fn(
      async () =>
        new Map<string, unknown>([
          ['name', 'Ann'],
          ['since', new Date(5)],
        ]),
    )
    const { messages } = await enter({ authenticate }, urlOf(name), { cf: { country: 'XX' } as CfProperties })
    const identity = [
      ['name', 'Ann'],
      ['since', 5],
    ]
    expect(messages).toEqual([{ name, object: name, country: 'XX', identity }])
    expect(authenticate).toHaveBeenCalledWith({ request: expect.any(Request), env, name })
  })

  it('may find nobody: undefined and null arrive as what they are', async () => {
    for (const identity of [undefined, null, 0, '', 'Ann', { a: [1] }]) {
      const [message] = (await enter({ authenticate: () => identity }, urlOf(fresh()))).messages as [object]
      expect(message).toEqual({ ...message, identity })
      expect('identity' in message).toBe(identity !== undefined)
    }
  })

  it.each([
    ['UNAUTHENTICATED', 4301],
    ['PERMISSION_DENIED', 4003],
    ['RESOURCE_EXHAUSTED', 4101],
    ['UNAVAILABLE', 4101],
  ] as const)('closes for %s with %i and the message; the object is not woken', async (code, expected) => {
    const { onError } = reports()
    const name = fresh()
    for (const fail of [
      () => Promise.reject(new RpcError(code, 'why')),
      () => {
        throw new RpcError(code, 'why')
      },
    ]) {
      const seen = await connect({ authenticate: fail, onError }, urlOf(name))
      expect(seen).toEqual({ status: 101, protocol: 'pairwire.1', messages: [], code: expected, reason: 'why' })
    }
    expect([woken(name), onError.mock.calls]).toEqual([0, []])
  })

  it('may say when to come back', async () => {
    const authenticate = () => {
      throw new RpcError('UNAVAILABLE', 'later', { retryAfter: 5_000 })
    }
    const { messages, code } = await connect({ authenticate }, urlOf(fresh()))
    expect([messages, code]).toEqual([[[13, { reason: 'later', retryAfter: 5_000 }]], 4101])
  })

  it.each([new Error('secret'), new RpcError('NOT_FOUND', 'secret')])(
    'closes with 4100 for any other error, which is reported and not told: %s',
    async (error) => {
      const { onError, told } = reports()
      const name = fresh()
      const { code, reason } = await connect({ authenticate: () => Promise.reject(error), onError }, urlOf(name))
      expect([code, reason]).toEqual([4100, expect.stringMatching(/^Internal error \(.+\)$/)])
      expect([told(), woken(name)]).toEqual([[['authenticate', 'secret']], 0])
    },
  )

  it('cuts a long reason to what a close can hold', async () => {
    const authenticate = () => Promise.reject(new RpcError('UNAUTHENTICATED', 'ä'.repeat(100)))
    expect((await connect({ authenticate }, urlOf(fresh()))).reason).toBe('ä'.repeat(61))
  })

  it('refuses and reports an identity that cannot travel', async () => {
    for (const identity of [() => {}, new Uint8Array(1)]) {
      const { onError, told } = reports()
      const name = fresh()
      expect((await connect({ authenticate: () => identity, onError }, urlOf(name))).code).toBe(4100)
      expect([told().length, woken(name)]).toEqual([1, 0])
    }
  })

  it('cannot be pretended by a header', async () => {
    const name = fresh()
    const cf = JSON.stringify({ pairwire: { name, json: '"root"' } })
    const { messages } = await enter({}, urlOf(name), { headers: { cf, 'cf-pairwire': cf } })
    expect(messages).toEqual([{ name, object: name }])
  })
})

describe('the namespace', () => {
  const hinted = (locationHint: Options['locationHint']) => {
    const getByName = vi.fn((name: string) => env.ROOMS.getByName(name))
    return { getByName, options: { locationHint, namespace: () => ({ getByName }) as never } as Options }
  }

  it('is told where a new room should be', async () => {
    const name = fresh()
    const hint = vi.fn(() => 'apac' as const)
    for (const [locationHint, ...args] of [
      ['weur', name, { locationHint: 'weur' }],
      [hint, name, { locationHint: 'apac' }],
      [() => undefined, name, undefined],
      [undefined, name, undefined],
    ] as const) {
      const { getByName, options } = hinted(locationHint)
      await enter(options, urlOf(name))
      expect(getByName.mock.calls).toEqual([args])
    }
    expect(hint).toHaveBeenCalledWith({ request: expect.any(Request), env, name })
  })

  it('is told by get as well; a function is not asked, as there is no request', () => {
    const given = hinted('weur')
    const room = make(given.options)
    room.get(env, 'a')
    room.get(env, 'a', { locationHint: 'me' })
    expect(given.getByName.mock.calls).toEqual([
      ['a', { locationHint: 'weur' }],
      ['a', { locationHint: 'me' }],
    ])
    const hint = vi.fn()
    const asked = hinted(hint)
    make(asked.options).get(env, 'a')
    expect([asked.getByName.mock.calls, hint.mock.calls]).toEqual([[['a', undefined]], []])
  })

  it('that is not there is reported with what to do', async () => {
    const { onError, told } = reports()
    const { code } = await connect({ namespace: () => undefined as never, onError }, urlOf(fresh()))
    expect([code, told()]).toEqual([4100, [['rooms', expect.stringContaining('wrangler')]]])
  })

  it.each([
    [{ retryable: true }, 4101],
    [{ overloaded: true }, 4101],
    [{ overloaded: true, retryable: true }, 4101],
    [{}, 4100],
  ])('that fails has the client back off: %j', async (flags, expected) => {
    const { onError } = reports()
    const stub = { fetch: () => Promise.reject(Object.assign(new Error('secret'), flags)) }
    const { code, reason } = await connect(
      { namespace: () => ({ getByName: () => stub }) as never, onError },
      urlOf('a'),
    )
    expect([code, onError.mock.calls.length]).toEqual([expected, expected === 4100 ? 1 : 0])
    expect(reason).not.toContain('secret')
  })

  it('has objects that throw or restart: their clients come back', async () => {
    const { onError, told } = reports()
    expect((await connect({ onError }, `${urlOf(fresh())}?throw`)).code).toBe(4100)
    expect(told()).toEqual([['rooms', 'secret']])
    expect([4100, 4101]).toContain((await connect({ onError }, `${urlOf(fresh())}?abort`)).code)
  })
})

describe('a room', () => {
  it('is called by other Workers with the methods of its class', async () => {
    const name = fresh()
    expect(await make().get(env, name).greet('Ann')).toBe(`Hello Ann, this is ${name}`)
    expect(woken(name)).toBe(1)
  })

  it('has a name that a URL could have', () => {
    for (const name of ['', 'x'.repeat(129), 'a\n', '\ud800']) expect(() => make().get(env, name)).toThrow(TypeError)
  })

  it('is found in a request, to compose Workers', () => {
    const match = (path: string) => make().match(new Request(`http://chat.test${path}`))
    expect([match('/rooms/a%20b'), match('/rooms'), match('/'), match('/rooms/%')]).toEqual([
      'a b',
      undefined,
      undefined,
      '%',
    ])
  })
})

describe('a path', () => {
  it.each([
    '',
    'rooms/:name',
    '/rooms',
    '/rooms/:id',
    '/:name/:name',
    '/rooms/:name/',
    '/x:name',
    '/:namex',
    '/a//:name',
    '/*/:name',
    '/:a/:name',
  ])('has exactly one segment :name: %j', (path) => expect(() => make({ path })).toThrow(/exactly|one segment :name/))
})
