import { createClient, safe } from '@pairwire/client'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { createServer, defineContract, implement, memoryTopic, mutation, query, subscription, type } from './index.ts'
import { listen } from './node.ts'

const contract = defineContract({
  add: query({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
  echo: query({ input: type<unknown>(), output: type<unknown>() }),
  fail: mutation({ errors: { MUTED: z.object({ until: z.date() }) } }),
  crash: mutation({}),
  count: subscription({ input: z.number(), output: z.number() }),
  upload: mutation({ input: z.string(), inputStream: z.instanceof(Uint8Array), output: z.number() }),
  talk: subscription({ inputStream: z.string(), output: z.string() }),
  feed: subscription({ output: z.string() }),
  slow: query({ output: z.string() }),
  askBack: query({ output: z.string() }),
})
const clientContract = defineContract({ name: query({ input: z.string(), output: z.string() }) })
const feed = memoryTopic<string>()
const router = implement(contract)
  .client(clientContract)
  .handlers({
    add: ({ input }) => input.a + input.b,
    echo: ({ input }) => input,
    fail: ({ errors }) => {
      throw errors.MUTED({ until: new Date(5) })
    },
    crash: () => {
      throw new Error('secret')
    },
    count: async function* ({ input }) {
      for (let i = 0; i < input; i++) yield i
    },
    upload: async ({ stream }) => {
      let n = 0
      for await (const c of stream) n += c.length
      return n
    },
    talk: async function* ({ stream }) {
      for await (const s of stream) yield s.toUpperCase()
    },
    feed: ({ lastEventId }) => feed.subscribe({ lastEventId }),
    slow: ({ signal }) => new Promise<string>((_, no) => signal.addEventListener('abort', () => no(signal.reason))),
    askBack: async ({ client }) => `hi ${await client.name('who')}`,
  })
it('talks', async () => {
  const server = createServer(router)
  const s = await listen(server)
  const client = createClient<typeof router>(s.url, {
    WebSocket: WebSocket as any,
    router: implement(clientContract).handlers({ name: ({ input }) => `${input}=bob` }),
  })
  expect(await client.add({ a: 1, b: 2 })).toBe(3)
  const v = { d: new Date(3), m: new Map([[1, new Set([2n])]]), u: undefined, n: NaN, b: new Uint8Array([1, 2, 3]) }
  expect(await client.echo(v)).toEqual(v)
  expect(await client.echo(undefined)).toBe(undefined)
  const { error } = await safe(client.fail())
  if (error?.code === 'MUTED') expect(error.data.until).toEqual(new Date(5))
  expect(error?.code).toBe('MUTED')
  const crash = await safe(client.crash())
  expect(crash.error?.code).toBe('INTERNAL')
  expect(crash.error?.message).not.toContain('secret')
  const got = []
  for await (const n of client.count(10_000)) got.push(n)
  expect(got.length).toBe(10_000)
  expect(await client.upload('x', { stream: [new Uint8Array(500_000), new Uint8Array(500_000)] })).toBe(1_000_000)
  const said = []
  for await (const t of client.talk(undefined, { stream: ['a', 'b'] })) said.push(t)
  expect(said).toEqual(['A', 'B'])
  const bad = await safe(client.add({ a: 'x' } as any))
  expect(bad.error?.code).toBe('INVALID_ARGUMENT')
  expect((await safe(client.slow(undefined, { timeout: 50 }))).error?.code).toBe('DEADLINE_EXCEEDED')
  expect(await client.askBack()).toBe('hi who=bob')
  const events: string[] = []
  const stop = client.feed().subscribe({ onData: (e) => events.push(e) })
  await client.add({ a: 1, b: 2 })
  feed.publish('one')
  feed.publish('two')
  await client.add({ a: 1, b: 2 })
  expect(events).toEqual(['one', 'two'])
  stop()
  expect((await safe((client as any).nope.x())).error?.code).toBe('NOT_FOUND')
  client.$connection.close()
  expect((await safe(client.add({ a: 1, b: 2 }))).error?.code).toBe('UNAVAILABLE')
  await s.close()
})
