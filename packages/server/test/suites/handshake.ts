import { expect, it } from 'vitest'
import { eventually, newKey, openClient, openRaw, outcome, type Place } from './place.ts'

/** Who may connect, and as whom. */
export const handshake = (place: Place): void => {
  it('authenticates once for a connection, before any of its calls', async () => {
    const client = openClient(place, 'auth', { params: { wait: 50 } })
    const key = newKey()
    const ordered = Array.from({ length: 30 }, (_, n) => client.order({ key, n }))
    const [first, second] = await Promise.all([client.context(), client.context()])
    expect(first).toMatchObject({ name: expect.stringMatching(/^visitor \d+$/) })
    expect(second).toEqual(first)
    expect(await client.context()).toEqual(first)
    await Promise.all(ordered)
    expect(await client.witness.of(key)).toEqual(Array.from({ length: 30 }, (_, n) => n))
    expect(await openClient(place, 'auth').context()).not.toEqual(first)
  })

  it.each([
    ['unauthenticated', 4301, 'who are you?'],
    ['denied', 4003, 'not you'],
  ])('closes with a code that says it: %s', async (act, code, reason) => {
    const client = openClient(place, 'auth', { params: { act } })
    const states: unknown[] = []
    client.$connection.on('state', (state, detail) => states.push([state, detail.code, detail.reason]))
    expect((await outcome(client.nothing()))[0]).toBe('UNAVAILABLE')
    expect(states.at(-1)).toEqual(['closed', code, reason])
  })

  it.each(['auth', 'context'])('closes with 4100 where %s throws anything else, and leaks nothing', async (server) => {
    const raw = await openRaw(place, server, { hello: { params: { act: 'crash' } } })
    const closed = await raw.end()
    expect(closed?.code).toBe(4100)
    expect(closed?.reason).not.toContain('classified')
    const [, id = ''] = /\((.+)\)/.exec(closed?.reason ?? '') ?? []
    expect(await openClient(place).witness.report(id)).toMatchObject({ error: 'Error: classified' })
  })

  it('asks a function for params at each connection, and bears one that throws', async () => {
    let asked = 0
    const client = openClient(place, 'auth', {
      params: async () => {
        if (++asked === 1) throw new Error('no token')
        return {}
      },
    })
    expect(await outcome(client.nothing())).toEqual(['ok', undefined])
    await client.nothing()
    expect(asked).toBe(2)
  })

  it('lets a visitor go who left while it was authenticated', async () => {
    const raw = await openRaw(place, 'auth', { hello: { params: { wait: 200 } } })
    const key = newKey()
    raw.send([2, 1, 'order', { key, n: 1 }])
    raw.socket.close()
    const client = openClient(place)
    await client.sleep(250)
    expect(await client.witness.of(key)).toEqual([])
  })

  it('says welcome with its limits, an epoch of its own and the session that it was told', async () => {
    const raws = [await openRaw(place), await openRaw(place)]
    const [a, b] = await Promise.all(raws.map(async (raw) => (await raw.until(([op]) => op === 1))?.[1]))
    expect(a).toMatchObject({
      heartbeat: 25_000,
      limits: { message: 1_048_576, depth: 64, batch: 1_000, calls: 256, subscriptions: 128, path: 256 },
    })
    const { session, epoch } = a as never as { session: string; epoch: string }
    expect(session).toBe('')
    expect(epoch).toMatch(/^[\w-]{16,}$/)
    expect(b).not.toMatchObject({ epoch })
  })
}

/** Which pages may connect: only where a test can say what its `Origin` is. */
export const origins = (place: Place, host: string): void => {
  const visit = async (server: string, origin: string | undefined) => {
    const raw = await openRaw(place, server, origin === undefined ? {} : { headers: { Origin: origin } })
    return (await eventually(
      () => raw.closed ?? raw.messages[0],
      (answer) => answer !== undefined,
    )) as unknown
  }
  const welcome = [1, expect.anything()]

  it.each([undefined, `http://${host}`, `https://${host}`])(
    'welcomes its own pages, and what is no page: %s',
    async (origin) => {
      expect(await visit('main', origin)).toEqual(welcome)
    },
  )

  it.each([
    'https://evil.example',
    'null',
    'garbage',
    `http://${host}.evil.example`,
    `http://evil${host}`,
    `http://${host}@evil.example`,
    `http://${host}/`,
    `http://${host}/path`,
    `HTTP://${host}`,
    `http://${host.replace(/:\d+$/, '')}:1`,
    `http://user@${host}`,
    `file://${host}`,
    `http://${host} `.replace(' ', '%20'),
  ])('refuses pages of another origin: %s', async (origin) => {
    expect(await visit('main', origin)).toEqual({ code: 4003, reason: expect.stringContaining('origins') })
  })

  it.each(['https://chat.example', 'http://localhost:5173'])(
    'welcomes an origin that is listed: %s',
    async (origin) => {
      expect(await visit('origins', origin)).toEqual(welcome)
    },
  )

  it.each([
    'https://chat.example.evil.com',
    'https://evilchat.example',
    'https://a.chat.example',
    'http://chat.example',
    'https://chat.example/',
    'https://CHAT.EXAMPLE',
    'https://chat.example:443',
    'https://chat.example:8443',
    'http://localhost:5174',
    'http://localhost',
    'null',
    'https://chat.example, https://evil.example',
    `http://${host}`,
    'length',
    '0',
  ])('refuses an origin that only looks like a listed one: %s', async (origin) => {
    expect(await visit('origins', origin)).toEqual({ code: 4003, reason: expect.stringContaining('origins') })
  })

  it.each(['https://evil.example', 'null'])('welcomes everybody where it is told to: %s', async (origin) => {
    expect(await visit('any', origin)).toEqual(welcome)
  })
}
