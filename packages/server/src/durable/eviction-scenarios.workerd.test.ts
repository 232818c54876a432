import { runDurableObjectAlarm } from 'cloudflare:test'
import { implement } from '@pairwire/router'
import { describe, expect } from 'vitest'
import { clientContract } from '../../test/eviction/dreamer.ts'
import { type DreamerClient, type Stage, scenario } from '../../test/eviction/scenario.ts'
import { errorOf, eventually, openRaw, outcome, sleep } from '../../test/suites/place.ts'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => `${i + 1}`)

/** What a subscription told, in order. */
const observe = (subscription: { subscribe(observer: object): () => void }) => {
  const log: unknown[] = []
  const stop = subscription.subscribe({
    onData: (event: unknown) => void log.push(event),
    onGap: ({ reason }: { reason: string }) => void log.push(`gap ${reason}`),
    onError: ({ code }: { code: string }) => void log.push(`error ${code}`),
    onDone: () => void log.push('done'),
  })
  const heard = (n: number) =>
    eventually(
      () => log.length,
      (length) => length >= n,
    )
  return { log, stop, heard }
}
/** What a handler noted by the time that it was left. */
const notedBy = (client: DreamerClient, key: string) =>
  eventually(
    () => client.noted(key),
    (noted) => noted.includes('left'),
  )
const left = (noted: string[]) => noted.filter((text) => text === 'left').length

describe('what is published first after a sleep', () => {
  const ways: Record<string, (stage: Stage, client: DreamerClient, text: string) => PromiseLike<unknown>> = {
    'by a socket': (_, client, text) => client.publish(text),
    'by a handler that awaits': (_, client, text) => client.publishLate(text),
    'by a method': ({ stub }, _, text) => stub.announce(text),
    'by an alarm': async ({ stub, evict }) => {
      await stub.wakeSoon()
      await evict()
      expect(await runDurableObjectAlarm(stub)).toBe(true)
    },
  }
  for (const [way, publish] of Object.entries(ways))
    scenario(`${way} comes once, and before what is published later`, async (stage) => {
      const client = stage.client()
      const kinds = ['direct', 'late', 'plain'] as const
      const heard = [...kinds.map((kind) => observe(client[kind]())), observe(client.ids(stage.key))]
      await client.noted('')
      // One of them awaits before it subscribes.
      await sleep(15)
      for (const text of upTo(3)) {
        await stage.evict()
        await publish(stage, client, text)
      }
      await stage.evict()
      await client.publish('last')
      const events = way === 'by an alarm' ? Array(3).fill('alarm') : upTo(3)
      for (const { heard: until } of heard) await until(4)
      for (const { log } of heard) expect(log).toEqual([...events, 'last'])
    })
})

describe('a subscription that slept runs its finally, once,', () => {
  scenario('when it is left', async (stage) => {
    const client = stage.client()
    const { stop, log } = observe(client.ids(stage.key))
    await client.noted('')
    await stage.evict()
    stop()
    const noted = await notedBy(client, stage.key)
    await stage.evict()
    await client.publish('nobody hears it')
    await stage.evict()
    expect(await client.noted(stage.key)).toEqual(noted)
    expect([left(noted), log]).toEqual([1, []])
  })

  scenario('when it is left by a reader that has not read all', async (stage) => {
    const client = stage.client({ window: 1 })
    const iterator = client.ids(stage.key)[Symbol.asyncIterator]()
    const first = iterator.next()
    for (const text of upTo(4)) await client.publish(text)
    expect((await first).value).toBe('1')
    await stage.evict()
    await iterator.return?.()
    expect(left(await notedBy(client, stage.key))).toBe(1)
  })

  scenario('when its client goes away while the object sleeps', async (stage) => {
    const client = stage.client()
    const other = stage.client()
    observe(other.ids(stage.key))
    await other.noted('')
    await stage.evict()
    other.$connection.close()
    expect(left(await notedBy(client, stage.key))).toBe(1)
  })
})

scenario(
  'hundreds of subscriptions on one socket go on, each with its own input',
  async (stage) => {
    const client = stage.client()
    const inputs = Array.from({ length: 300 }, (_, n) => `${n} ${'漢é😀'.repeat(n % 40)}`)
    const heard = inputs.map((input) => observe(client.echo(input)))
    await client.noted('')
    for (const text of ['one', 'two']) {
      await stage.evict()
      await stage.stub.announce(text)
    }
    for (const { heard: until } of heard) await until(2)
    // Some of them leave, and others come, while the rest goes on.
    for (const { stop } of heard.slice(0, 100)) stop()
    const more = Array.from({ length: 50 }, (_, n) => observe(client.echo({ n, bytes: new Uint8Array([n]) })))
    await client.noted('')
    await stage.evict()
    await client.publish('three')
    for (const { heard: until } of heard.slice(100)) await until(3)
    for (const { heard: until } of more) await until(1)
    expect(heard.map(({ log }) => log)).toEqual(
      inputs.map((input, n) => ['one', 'two', ...(n < 100 ? [] : ['three'])].map((text) => [input, text])),
    )
    expect(more.map(({ log }) => log)).toEqual(more.map((_, n) => [[{ n, bytes: new Uint8Array([n]) }, 'three']]))
  },
  { points: 6, seeds: 2 },
)

describe('a reader that is slow', () => {
  scenario('gets every event, once and in order, from a generator with ids', async (stage) => {
    const client = stage.client({ window: 1 })
    const iterator = client.count({ n: 12, size: 100 })[Symbol.asyncIterator]()
    const seen: number[] = []
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      seen.push(Number.parseInt(step.value, 10))
      if (seen.length % 3 === 0) await stage.evict()
    }
    expect(seen).toEqual(upTo(12).map(Number))
  })

  scenario('gets every event, once and in order, from a topic that goes on meanwhile', async (stage) => {
    const client = stage.client({ window: 1 })
    const kinds = [client.direct(), client.ids(stage.key), client.late()]
    const iterators = kinds.map((call) => call[Symbol.asyncIterator]())
    const first = iterators.map((iterator) => iterator.next())
    await client.noted('')
    await sleep(15)
    for (const text of upTo(4)) {
      await client.publish(text)
      await stage.evict()
    }
    for (const [i, iterator] of iterators.entries()) {
      const seen = [(await first[i])?.value]
      for (let n = 1; n < 4; n++) {
        seen.push((await iterator.next()).value)
        await stage.evict()
      }
      expect(seen).toEqual(upTo(4))
    }
  })

  scenario('is sent no more than its window, however often the object sleeps', async (stage) => {
    const client = stage.client({ window: 10_000 })
    const iterator = client.count({ n: 40, size: 1_000 })[Symbol.asyncIterator]()
    expect(Number.parseInt((await iterator.next()).value!, 10)).toBe(1)
    for (let i = 0; i < 3; i++) {
      await client.add(1)
      await stage.evict()
    }
    let came = 0
    for (const socket of stage.sockets) socket.addEventListener('message', ({ data }) => (came += String(data).length))
    await client.add(1)
    await stage.evict()
    await client.add(1)
    expect(came).toBeLessThan(200)
    const rest: number[] = []
    for (let step = await iterator.next(); !step.done; step = await iterator.next())
      rest.push(Number.parseInt(step.value, 10))
    expect(rest).toEqual(Array.from({ length: 39 }, (_, n) => n + 2))
  })
})

scenario(
  'what was sent before a sleep is granted again behind it, so that no window fills up for ever',
  async (stage) => {
    const client = stage.client({ window: 1_000 })
    const { log, heard } = observe(client.direct())
    await client.noted('')
    const texts = upTo(20).map((text) => text.padEnd(150, '.'))
    for (const text of texts) {
      await stage.evict()
      await stage.stub.announce(text)
    }
    await heard(20)
    expect(log).toEqual(texts)
  },
  { points: 4 },
)

scenario('two tabs of one user, of which one leaves', async (stage) => {
  const tabs = [stage.client({ params: { name: 'ann' } }), stage.client({ params: { name: 'ann' } })] as const
  const heard = tabs.map((tab) => observe(tab.direct()))
  for (const tab of tabs) await tab.who()
  await stage.evict()
  await tabs[0].publish('1')
  await stage.evict()
  await tabs[1].publish('2')
  for (const { heard: until } of heard) await until(2)
  tabs[0].$connection.close()
  await stage.evict()
  expect(await tabs[1].publish('3')).toBe('3')
  await heard[1]!.heard(3)
  expect(heard.map(({ log }) => log)).toEqual([['1', '2', 'error CANCELLED'], upTo(3)])
  expect(await tabs[1].who()).toEqual({ name: 'ann', isOwn: true })
})

scenario('who somebody is outlives a sleep, also where it has changed', async (stage) => {
  let name = 'añn 漢字 😀'
  const client = stage.client({ params: () => ({ name }) })
  expect(await client.who()).toEqual({ name, isOwn: true })
  await stage.evict()
  expect(await client.who()).toEqual({ name, isOwn: true })
  await stage.evict()
  name = 'bob'
  await client.$connection.refresh()
  await stage.evict()
  expect(await client.who()).toEqual({ name: 'bob', isOwn: true })
  expect(stage.sockets).toHaveLength(1)
})

describe('calls to the client', () => {
  const answering = (stage: Stage) => {
    const seen = { ids: [] as number[], ticks: 0, left: 0, on: true }
    const router = implement(clientContract).handlers({
      name: ({ input }) => `${input} is bob`,
      async *ticks({ signal }) {
        try {
          while (seen.on && !signal.aborted) {
            yield ++seen.ticks
            await sleep(20)
          }
        } finally {
          seen.left++
        }
      },
    })
    const client = stage.client({ router: router as never })
    const listen = () =>
      stage.sockets[0]!.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(String(data))
        for (const [op, id] of Array.isArray(frame[0]) ? frame : [frame])
          if (op === 2 || op === 'name') seen.ids.push(id)
      })
    return { seen, client, listen }
  }

  scenario('are answered, and their ids never used again', async (stage) => {
    const { client, seen, listen } = answering(stage)
    await client.add(1)
    listen()
    for (const text of ['a', 'b', 'c']) {
      await stage.evict()
      expect(await client.ask(text)).toBe(`${text} is bob and ${text} is bob`)
    }
    expect(seen.ids).toHaveLength(6)
    expect(new Set(seen.ids).size).toBe(6)
  })

  scenario('that nobody waited for are cancelled when the object has slept', async (stage) => {
    const { client, seen } = answering(stage)
    await client.watch()
    await eventually(
      () => seen,
      ({ ticks, left }) => ticks > 1 || left > 0,
    )
    await stage.evict()
    await eventually(
      () => seen.left,
      (n) => n > 0,
    )
    expect([seen.left, stage.evictor.evictions > 0]).toEqual([1, true])
    expect(await client.ask('who')).toBe('who is bob and who is bob')
  })
})

describe('uploads', () => {
  scenario('of a mutation are waited for', async (stage) => {
    const client = stage.client()
    const items = async function* () {
      for (const text of upTo(6)) {
        yield text
        stage.evict()
        await sleep(2)
      }
    }
    expect(await client.upload(undefined, { stream: items() })).toBe('123456')
    await stage.evict()
    expect(await client.upload(undefined, { stream: upTo(3) })).toBe('123')
  })

  scenario('of a subscription that had read all that came go on', async (stage) => {
    const client = stage.client()
    let resume = () => {}
    const lines = async function* () {
      for (const line of ['a', 'b', 'c']) {
        yield line
        await new Promise<void>((resolve) => {
          resume = resolve
        })
      }
    }
    const iterator = client.talk(stage.key, { stream: lines() })[Symbol.asyncIterator]()
    const seen: unknown[] = []
    for (const _ of 'abc') {
      seen.push((await iterator.next()).value)
      await stage.evict()
      resume()
    }
    expect(seen).toEqual(['A', 'B', 'C'])
    expect((await iterator.next()).done).toBe(true)
    expect(await notedBy(client, stage.key)).toEqual(['left'])
  })

  scenario('of a subscription that had not fail, and say so', async (stage) => {
    const client = stage.client({ window: 1 })
    const lines = async function* () {
      yield* ['a', 'b', 'c']
      await new Promise(() => {})
    }
    const iterator = client.talk(stage.key, { stream: lines() })[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toBe('A')
    await client.add(1)
    await stage.evict()
    const seen: unknown[] = []
    const error = await errorOf(
      (async () => {
        for (;;) seen.push((await iterator.next()).value)
      })(),
    )
    expect([error.code, error.executed]).toEqual(['UNAVAILABLE', 'no'])
    expect(await notedBy(client, stage.key)).toEqual(['left'])
  })
})

scenario(
  'the deadline of a subscription goes on while the object sleeps, and its finally runs',
  async (stage) => {
    const raw = await openRaw({ connect: () => stage.connect() })
    const keys = ['with an id', 'without', 'later'].map((text) => `${stage.key} ${text}`)
    raw.send([2, 1, 'ids', keys[0], { timeout: 400 }])
    raw.send([2, 5, 'add', 1])
    await raw.until(([op, id]) => op === 7 && id === 5)
    await stage.stub.announce('in time')
    await raw.until(([op, id]) => op === 9 && id === 1)
    // This one has got no event yet.
    raw.send([2, 7, 'ids', keys[1], { timeout: 400 }])
    raw.send([2, 9, 'ids', keys[2], { timeout: 60_000 }])
    raw.send([2, 11, 'add', 1])
    await raw.until(([op, id]) => op === 7 && id === 11)
    await stage.evict()
    await sleep(420)
    await stage.stub.announce('too late')
    for (const of of [1, 7])
      expect((await raw.until(([op, id]) => op === 8 && id === of))?.[2]).toMatchObject({
        code: 'DEADLINE_EXCEEDED',
        executed: 'unknown',
      })
    expect((await raw.until(([op, id]) => op === 9 && id === 9))?.[2]).toBe('too late')
    const ends = raw.messages.filter(([op, id]) => op > 6 && op < 11 && id !== 5 && id !== 11)
    expect(ends.map(([op, id]) => [op, id]).sort()).toEqual(
      [
        [9, 1],
        [8, 1],
        [8, 7],
        [9, 9],
      ].sort(),
    )
    const client = stage.client()
    for (const key of keys.slice(0, 2)) expect(left(await notedBy(client, key))).toBe(1)
    expect(left(await client.noted(keys[2]!))).toBe(0)
  },
  { points: 5, seeds: 1 },
)

const large = new Uint8Array(60_000).map((_, i) => i)
const inputs: [string, unknown][] = [
  ['bytes', { bytes: new Uint8Array([0, 255, 1]), at: new Date(5) }],
  ['more bytes than an attachment holds', { large, of: [new Float64Array([1.5])] }],
  ['two bytes a character', '漢字 😀 '.repeat(400)],
  ['a long text', 'é'.repeat(200_000)],
  ['half of a surrogate pair', 'a\ud800b'],
  ['rich types', new Map<unknown, unknown>([[1n, new Set([undefined, Number.NaN])]])],
]
for (const [what, input] of inputs)
  scenario(
    `an input is the same after a sleep: ${what}`,
    async (stage) => {
      const client = stage.client()
      const { log, heard } = observe(client.echo(input))
      await client.noted('')
      for (const text of upTo(3)) {
        await stage.evict()
        await stage.stub.announce(text)
      }
      await heard(3)
      expect(log).toStrictEqual(upTo(3).map((text) => [input, text]))
    },
    { seeds: 1 },
  )

scenario('a mutation runs once, and its effect with it', async (stage) => {
  const client = stage.client()
  for (const n of [1, 3, 5, 7]) {
    expect(await client.add(1)).toBe(n)
    await stage.evict()
    expect(await client.once(1)).toBe(n + 1)
  }
})

scenario('a drain is not forgotten in a sleep', async (stage) => {
  const client = stage.client()
  const { log, heard } = observe(client.ids(stage.key))
  await client.publish('1')
  await heard(1)
  await stage.stub.move()
  await eventually(
    () => stage.sockets.length,
    (n) => n > 1,
  )
  await stage.evict()
  await client.publish('2')
  await stage.evict()
  await client.publish('3')
  await heard(3)
  expect(log).toEqual(upTo(3))
  expect(
    await eventually(
      () => stage.sockets[0]!.readyState,
      (state) => state === 3,
    ),
  ).toBe(3)
  expect(await outcome(client.who())).toEqual(['ok', { name: 'nobody', isOwn: true }])
})

scenario('what a client says in one frame is answered in its order', async (stage) => {
  const client = stage.client()
  const sums = await Promise.all(upTo(20).map(() => client.add(1)))
  await stage.evict()
  const more = await Promise.all(upTo(20).map(() => client.add(1)))
  expect([...sums, ...more].map(String)).toEqual(upTo(40))
})
