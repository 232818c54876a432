import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { type ClientOptions, createClient } from '@pairwire/client'
import { expect, it, onTestFinished } from 'vitest'
import { Lobby } from '../../test/lobby.ts'
import type { PresenceEvent } from '../presence-event.ts'
import { rooms } from './rooms.ts'

interface Person {
  readonly id: string
  readonly color?: string | undefined
}

let objects = 0

const eventually = async (ask: () => boolean) => {
  for (let i = 0; i < 600 && !ask(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
}

const brief = (event: PresenceEvent<Person>): string =>
  event.type === 'all'
    ? ['all', ...event.members.map(({ id }) => id).sort()].join(' ')
    : `${event.type} ${event.member.id}`

const open = () => {
  const name = `lobby ${++objects}`
  const stub = () => env.LOBBIES.getByName(name)
  const lobbies = rooms<Lobby, typeof env>({
    path: '/:name',
    namespace: (env) => env.LOBBIES,
    authenticate: ({ request }) => {
      const id = new URL(request.url).searchParams.get('id')
      return id ? { id } : undefined
    },
  })
  /** A tab. With `id` the Worker says who it is, with `params` the object. */
  const tab = (who: { id?: string; params?: Person }, options: Partial<ClientOptions> = {}) => {
    const sockets: WebSocket[] = []
    const url = `http://lobby.test/${encodeURIComponent(name)}${who.id ? `?id=${who.id}` : ''}`
    const client = createClient<Lobby['router']>('ws://lobby.test/', {
      connect: async () => {
        const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' }
        const { webSocket } = await lobbies.fetch(new Request(url, { headers }), env)
        webSocket!.accept()
        sockets.push(webSocket!)
        return webSocket as never
      },
      params: who.params as never,
      reconnect: { minDelay: 10, maxDelay: 50 },
      ...options,
    })
    onTestFinished(() => client.$connection.close())
    const seen: string[] = []
    const people = new Map<string, Person>()
    const watch = async () => {
      client.people().subscribe({
        onData: (event) => {
          seen.push(brief(event))
          if (event.type === 'all') people.clear()
          for (const one of event.type === 'all' ? event.members : [event.member])
            if (event.type === 'leave') people.delete(one.id)
            else people.set(one.id, one)
        },
        onError: (error) => void seen.push(String(error)),
      })
      await eventually(() => seen.length > 0)
    }
    return {
      client,
      seen,
      sockets,
      watch,
      /** What has come since it was last asked, once it is as many as that. */
      async news(count: number) {
        await eventually(() => seen.length >= count)
        return seen.splice(0)
      },
      get there() {
        return [...people.keys()].sort().join(' ')
      },
    }
  }
  return { name, stub, tab, evict: () => evictDurableObject(stub()) }
}

it('says who is there, and goes on over sleeps without a word', async () => {
  const { tab, evict, stub, name } = open()
  const ann = tab({ id: 'ann' })
  await ann.watch()
  const bob = tab({ params: { id: 'bob', color: 'slow' } })
  await bob.watch()
  const cid = tab({ id: 'cid' })
  await cid.watch()
  expect([ann.seen.splice(0), bob.seen.splice(0), cid.seen.splice(0)]).toEqual([
    ['all ann', 'join bob', 'join cid'],
    ['all ann bob', 'join cid'],
    ['all ann bob cid'],
  ])
  const made = Lobby.made.get(name)!
  for (let n = 0; n < 3; n++) {
    await evict()
    expect(await stub().who()).toEqual(['ann', 'bob', 'cid'])
    expect(await bob.client.list()).toHaveLength(3)
  }
  expect(Lobby.made.get(name)).toBe(made + 3)
  await evict()
  const dot = tab({ id: 'dot' })
  await dot.client.list()
  const all = [ann, bob, cid]
  expect(await Promise.all(all.map(({ news }) => news(1)))).toEqual(Array(3).fill(['join dot']))
})

it('has one member for two tabs, also where one of them closes while the object is asleep', async () => {
  const { tab, evict, stub } = open()
  const ann = tab({ id: 'ann' })
  await ann.watch()
  const bobs = [tab({ id: 'bob' }), tab({ id: 'bob' }), tab({ id: 'bob' })] as const
  for (const bob of bobs) await bob.client.list()
  expect(await ann.news(2)).toEqual(['all ann', 'join bob'])
  bobs[0].client.$connection.close()
  expect(await stub().who()).toEqual(['ann', 'bob'])
  await evict()
  bobs[1].client.$connection.close()
  expect(await ann.client.list()).toHaveLength(2)
  await evict()
  expect([await stub().who(), ann.seen]).toEqual([['ann', 'bob'], []])
  await evict()
  bobs[2].client.$connection.close()
  expect(await ann.news(1)).toEqual(['leave bob'])
  await evict()
  expect([await stub().who(), ann.seen]).toEqual([['ann'], []])
})

it('shows a user with two tabs as the first of them, also where that takes longer to wake up', async () => {
  const { tab, evict } = open()
  const ann = tab({ id: 'ann' })
  await ann.watch()
  const bobs = [tab({ params: { id: 'bob', color: 'slow' } }), tab({ params: { id: 'bob', color: 'red' } })] as const
  for (const bob of bobs) await bob.client.list()
  expect(await ann.news(2)).toEqual(['all ann', 'join bob'])
  for (let n = 0; n < 3; n++) {
    await evict()
    expect(await bobs[1].client.list()).toEqual([{ id: 'ann' }, { id: 'bob', color: 'slow' }])
  }
  expect(ann.seen).toEqual([])
  bobs[0].client.$connection.close()
  expect([await ann.news(1), await ann.client.list()]).toEqual([
    ['update bob'],
    [{ id: 'ann' }, { id: 'bob', color: 'red' }],
  ])
})

it('shows nobody whom describe does not show', async () => {
  const { tab, stub } = open()
  const guest = tab({})
  await guest.watch()
  const ann = tab({ id: 'ann' })
  await ann.client.list()
  expect([await guest.news(2), await stub().who()]).toEqual([['all', 'join ann'], ['ann']])
})

it('tells that somebody is shown as something else, asleep or not', async () => {
  const { tab, evict } = open()
  const ann = tab({ id: 'ann' })
  await ann.watch()
  let color = 'red'
  const bob = tab({ params: (() => ({ id: 'bob', color })) as never })
  await bob.client.list()
  expect(await ann.news(2)).toEqual(['all ann', 'join bob'])
  for (color of ['blue', 'green']) {
    await evict()
    await bob.client.$connection.refresh()
    expect([await ann.news(1), (await ann.client.list()).map(({ color }) => color)]).toEqual([
      ['update bob'],
      [undefined, color],
    ])
  }
})

it('is right again after a deploy, which drops every socket without a word', async () => {
  const { tab, stub } = open()
  const tabs = [
    tab({ id: 'ann' }),
    tab({ id: 'bob' }),
    tab({ params: { id: 'cid', color: 'slow' } }),
    tab({ id: 'bob' }),
  ]
  for (const one of tabs) await one.watch()
  const away = tabs.pop()!
  away.client.$connection.close()
  const dot = tab({ id: 'dot' })
  await dot.client.list()
  // One of them does not come back.
  dot.client.$connection.on('state', () => dot.client.$connection.close())
  await stub()
    .abort()
    .catch(() => {})
  expect(await stub().who()).not.toContain('dot')
  await eventually(() => tabs.every(({ there }) => there === 'ann bob cid'))
  expect(tabs.map(({ there }) => there)).toEqual(Array(3).fill('ann bob cid'))
  expect((await stub().who()).sort()).toEqual(['ann', 'bob', 'cid'])
  expect(tabs.flatMap(({ seen }) => seen).filter((event) => /Error/.test(event))).toEqual([])
})

it('leaves everyone with who is there, with a sleep between any two steps', async () => {
  const { tab, evict, stub } = open()
  const watchers = [tab({ id: 'ann' }), tab({ id: 'bob' })]
  for (const watcher of watchers) {
    await watcher.watch()
    await evict()
  }
  const tabs: ReturnType<typeof tab>[] = []
  const ids: string[] = []
  for (const step of 'cdc-e--dd-ee---c--') {
    if (step === '-') {
      ids.shift()
      tabs.shift()!.client.$connection.close()
    } else {
      const one = tab({ id: step })
      ids.push(step)
      tabs.push(one)
      await one.client.list()
    }
    const expected = [...new Set(['ann', 'bob', ...ids])].sort()
    for (let i = 0; i < 100 && (await stub().who()).length !== expected.length; i++) await scheduler.wait(5)
    expect((await stub().who()).sort()).toEqual(expected)
    await evict()
  }
  await eventually(() => watchers.every(({ there }) => there === 'ann bob'))
  expect(watchers.map(({ there }) => there)).toEqual(['ann bob', 'ann bob'])
  // Whom two tabs stood for came once and left once; nobody was told of everyone again.
  const changes = [
    'join c',
    'join d',
    'join e',
    'leave c',
    'leave d',
    'join d',
    'leave e',
    'join e',
    'leave d',
    'leave e',
  ]
  expect(watchers[1]!.seen.slice(1).sort()).toEqual([...changes, 'join c', 'leave c'].sort())
})
