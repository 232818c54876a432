import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createClient } from '@pairwire/client'
import { expect, it, onTestFinished } from 'vitest'
import type { Sleeper } from '../../test/sleeper.ts'
import { openRaw } from '../../test/suites/place.ts'

let objects = 0

const open = (options: object = {}) => {
  const stub = env.SLEEPERS.getByName(`sleep ${++objects}`)
  const connect = () =>
    createClient<Sleeper['router']>('ws://sleep.test/', {
      connect: async () => {
        const response = await stub.fetch('http://sleep.test/', {
          headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' },
        })
        response.webSocket!.accept()
        return response.webSocket as never
      },
      ...options,
    })
  const client = connect()
  onTestFinished(() => client.$connection.close())
  return { stub, client, connect, evict: () => evictDurableObject(stub) }
}

const eventually = async <T>(ask: () => T, is: (value: T) => boolean) => {
  for (let i = 0; i < 400 && !is(ask()); i++) await new Promise((resolve) => setTimeout(resolve, 5))
  return ask()
}

it.each(['direct', 'ids', 'late', 'plain', 'greeting'] as const)('%s goes on after a sleep', async (name) => {
  const { client, stub, evict } = open({ params: { name: 'ann' } })
  const seen: string[] = []
  const gaps: unknown[] = []
  client[name]().subscribe({
    onData: (event) => void seen.push(event),
    onGap: (gap) => void gaps.push(gap),
    onError: (e) => void seen.push(String(e)),
  })
  const first = await client.instance()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await evict()
  await stub.announce('one')
  await eventually(
    () => seen,
    (seen) => seen.includes('one'),
  )
  await evict()
  expect(await client.who()).toEqual({ name: 'ann' })
  expect(await client.publish('two')).toBe('two')
  await eventually(
    () => seen,
    (seen) => seen.includes('two'),
  )
  await evict()
  await evict().catch(() => {})
  expect(await client.publish('three')).toBe('three')
  await eventually(
    () => seen,
    (seen) => seen.includes('three'),
  )
  expect(await client.instance()).not.toBe(first)
  // What it says of its own it says again, and that is told; what it reads in the topic goes on where it was.
  expect(seen.filter((event) => event !== 'hello')).toEqual(['one', 'two', 'three'])
  expect(gaps).toEqual(name === 'greeting' ? Array(3).fill({ reason: 'untracked' }) : [])
})

it('is made ready by setup before anything runs, each time that it comes to life', async () => {
  const { client, evict } = open()
  const seen: string[] = []
  client.seesReady().subscribe({ onData: (event) => void seen.push(event) })
  await eventually(
    () => seen,
    (seen) => seen.length === 1,
  )
  await evict()
  expect(await client.ready()).toEqual(['setup'])
  await eventually(
    () => seen,
    (seen) => seen.length === 2,
  )
  expect(seen).toEqual(['setup', 'setup'])
})

it('never uses the id of a call to its client again, also without a session', async () => {
  const stub = env.SUITES.getByName('main without a session')
  const raw = await openRaw({
    async connect() {
      const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1' }
      const { webSocket } = await stub.fetch('http://main.test/', { headers })
      webSocket!.accept()
      return webSocket as never
    },
  })
  const ids: number[] = []
  for (const id of [1, 3]) {
    raw.send([2, id, 'ask.name', 'x'])
    const asked = await raw.until(([op, of]) => op === 2 && !ids.includes(of))
    ids.push(asked![1])
    raw.send([7, asked![1], 'me'])
    await raw.until(([op, of]) => op === 7 && of === id)
    await evictDurableObject(stub)
  }
  expect(ids).toEqual([2, 4])
})
