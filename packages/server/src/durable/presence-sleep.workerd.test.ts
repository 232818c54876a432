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
