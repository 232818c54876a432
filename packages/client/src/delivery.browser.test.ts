import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { DeliveryRouter } from '../test/delivery/router.ts'
import type { Run } from '../test/delivery/state.ts'
import { createClient, type PairwireClient, type RichClientOptions } from './index.ts'
import { createClient as createJsonClient } from './json.ts'

type Client = PairwireClient<DeliveryRouter>

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
/** Has the server, or the proxy before it, do something. */
const ask = async <T>(step: string, key: string | boolean = '', n = 0): Promise<T> => {
  const response = await fetch(`${inject('deliveryUrl')}/${step}?key=${encodeURIComponent(key)}&n=${n}`)
  return response.json() as Promise<T>
}
const runs = (key: string) => ask<Run[]>('runs', key)
const until = async (holds: () => unknown) => {
  for (const start = Date.now(); !(await holds()); await sleep(5))
    if (Date.now() - start > 5_000) throw new Error(`it did not come true: ${holds}`)
}
const outcome = (call: PromiseLike<unknown>) =>
  Promise.resolve(call).then(
    (value) => ['ok', value],
    ({ code, executed }) => [code, executed],
  )
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const url = await ask<string>('url')
let keys = 0
const newKey = () => `${Date.now()} ${++keys}`
const soon = { minDelay: 4, maxDelay: 20 }

const openClient = (kind: 'rich' | 'json' = 'rich', options: RichClientOptions = {}) => {
  const own = { reconnect: soon, ...options }
  const client: Client =
    kind === 'json' ? createJsonClient<DeliveryRouter>(url, own as never) : createClient<DeliveryRouter>(url, own)
  const states: string[] = []
  client.$connection.on('state', (state, { code }) => states.push(code ? `${state} ${code}` : state))
  onTestFinished(async () => {
    await ask('refuse', false)
    client.$connection.close()
    expect(client.$connection.pending).toBe(0)
  })
  return { client, states }
}

for (const clientKind of ['rich', 'json'] as const)
  describe(`in Chromium, with the client ${clientKind},`, () => {
    const promises = {
      query: { cut: 2, unanswered: 2, restarted: ['ok', 2] },
      plain: { cut: 1, unanswered: 1, restarted: ['UNAVAILABLE', 1] },
      idempotent: { cut: 1, unanswered: 1, restarted: ['ok', 2] },
      once: { cut: 1, unanswered: 1, restarted: ['UNAVAILABLE', 1] },
    } as const
    for (const [kind, expected] of Object.entries(promises) as [keyof typeof promises, (typeof promises)['query']][]) {
      const setUp = async () => {
        const key = newKey()
        const { client } = openClient(clientKind)
        await client.query({ key: `${key} warm` })
        return { key, client, call: (hold = false) => outcome(client[kind]({ key, hold })) }
      }

      it(`${kind} that was cut before it was sent ran once`, async () => {
        const { key, client, call } = await setUp()
        await ask('refuse', true)
        await ask('cut')
        await until(() => client.$connection.state !== 'open')
        const ended = call()
        await ask('refuse', false)
        expect(await ended).toEqual(['ok', `${key} run 1`])
        expect(await runs(key)).toHaveLength(1)
      })

      it(`${kind} that was cut on its way to the server ran once`, async () => {
        const { key, call } = await setUp()
        await ask('hold', 'up')
        const ended = call()
        await sleep(20)
        await ask('cut')
        expect(await ended).toEqual(['ok', `${key} run 1`])
        expect(await runs(key)).toHaveLength(1)
      })

      it(`${kind} that was cut while it ran, ran ${expected.cut} times`, async () => {
        const { key, client, call } = await setUp()
        const ended = call(true)
        await until(async () => (await runs(key)).length)
        const before = await ask<number>('accepted')
        await ask('cut')
        await until(async () => (await ask<number>('accepted')) > before && client.$connection.state === 'open')
        await ask('open', key)
        expect(await ended).toEqual(['ok', `${key} run ${expected.cut}`])
        expect(await runs(key)).toHaveLength(expected.cut)
      })

      it(`${kind} that was cut after it ran, before its answer, ran ${expected.unanswered} times`, async () => {
        const { key, call } = await setUp()
        await ask('hold', 'down')
        const ended = call()
        await until(async () => (await runs(key))[0]?.ended)
        await ask('cut')
        expect(await ended).toEqual(['ok', `${key} run ${expected.unanswered}`])
        expect(await runs(key)).toHaveLength(expected.unanswered)
      })

      it(`${kind} whose server was started anew while it ran ends with ${expected.restarted}`, async () => {
        const { key, call } = await setUp()
        const ended = call(true)
        await until(async () => (await runs(key)).length)
        await ask('restart')
        if (expected.restarted[1] === 2) await until(async () => (await runs(key)).length === 2)
        await ask('open', key)
        expect((await ended)[0]).toBe(expected.restarted[0])
        expect(await runs(key)).toHaveLength(expected.restarted[1])
      })
    }

    it('tracked events come once and in order through cuts', async () => {
      const topic = newKey()
      const { client } = openClient(clientKind)
      const log: unknown[] = []
      client.events(topic).subscribe({
        onData: (n) => log.push(n),
        onGap: ({ reason }) => log.push(reason),
        onError: ({ code }) => log.push(code),
      })
      await until(async () => (await runs(topic)).length)
      await client.query({ key: newKey() })
      for (const n of upTo(60)) {
        await ask('publish', topic, n)
        if (n % 7 === 0) await ask('cut')
      }
      await until(() => log.length >= 60)
      await sleep(30)
      expect(log).toEqual(upTo(60))
    })

    it('a planned restart has no moment without a connection', async () => {
      const [topic, key] = [newKey(), newKey()]
      const { client, states } = openClient(clientKind)
      const log: unknown[] = []
      client.events(topic).subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      await until(async () => (await runs(topic)).length)
      await client.query({ key: newKey() })
      const long = outcome(client.plain({ key, hold: true }))
      await until(async () => (await runs(key)).length)
      const drained = ask('drain')
      for (const n of upTo(30)) {
        await ask('publish', topic, n)
        expect(await client.plain({ key: `${key} short` })).toBe(`${key} short run ${n}`)
      }
      await ask('open', key)
      expect(await long).toEqual(['ok', `${key} run 1`])
      await drained
      await until(() => log.length >= 30)
      expect(log).toEqual(upTo(30))
      expect(states).toEqual(['connecting', 'open'])
    })

    it('a black hole is found, and its call gives its real result', async () => {
      const key = newKey()
      const { client, states } = openClient(clientKind, { pongTimeout: 100 })
      const ended = outcome(client.plain({ key, hold: true }))
      await until(async () => (await runs(key)).length)
      await ask('blackHole')
      await until(() => states.includes('waiting 4104'))
      await ask('open', key)
      expect(await ended).toEqual(['ok', `${key} run 1`])
    })
  })

describe('a device that is offline', () => {
  const setOnLine = (onLine: boolean) => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => onLine })
    dispatchEvent(new Event(onLine ? 'online' : 'offline'))
  }
  const goBack = () => {
    Reflect.deleteProperty(navigator, 'onLine')
  }

  it('makes no attempt until it is online, and then one at once', async () => {
    onTestFinished(goBack)
    const { client, states } = openClient('rich')
    await client.query({ key: newKey() })
    setOnLine(false)
    const before = await ask<number>('accepted')
    await ask('cut')
    await until(() => states.at(-1)?.startsWith('waiting'))
    const key = newKey()
    const call = outcome(client.plain({ key }))
    await sleep(120)
    expect(await ask<number>('accepted')).toBe(before)
    setOnLine(true)
    expect(await call).toEqual(['ok', `${key} run 1`])
    expect(await ask<number>('accepted')).toBe(before + 1)
  })

  it('makes no attempt though one was due when it went offline', async () => {
    onTestFinished(goBack)
    const { client, states } = openClient('rich', { reconnect: { minDelay: 1_000, maxDelay: 1_000 } })
    await client.query({ key: newKey() })
    await ask('cut')
    await until(() => states.at(-1)?.startsWith('waiting'))
    setOnLine(false)
    const before = await ask<number>('accepted')
    await sleep(1_200)
    expect(await ask<number>('accepted')).toBe(before)
    setOnLine(true)
    expect((await outcome(client.query({ key: newKey() })))[0]).toBe('ok')
  })
})

describe('an attempt is made at once, however long the wait would be,', () => {
  const far = { minDelay: 1_000_000, maxDelay: 1_000_000 }
  for (const [when, target, type] of [
    ['when the device is online again', window, 'online'],
    ['when the page comes back from the back/forward cache', window, 'pageshow'],
    ['when the page becomes visible', document, 'visibilitychange'],
  ] as const)
    it(when, async () => {
      const { client, states } = openClient('rich', { reconnect: far })
      await client.query({ key: newKey() })
      await ask('cut')
      await until(() => states.at(-1)?.startsWith('waiting'))
      const key = newKey()
      const call = outcome(client.query({ key }))
      await sleep(50)
      expect(client.$connection.state).toBe('waiting')
      target.dispatchEvent(new Event(type, { bubbles: true }))
      expect(await call).toEqual(['ok', `${key} run 1`])
    })

  it('and an open connection is asked whether it lives, so that one that died meanwhile is found', async () => {
    const { client, states } = openClient('rich', { pongTimeout: 60 })
    await client.query({ key: newKey() })
    await ask('blackHole')
    const start = performance.now()
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    await until(() => states.includes('waiting 4104'))
    // Sooner than by the heartbeat, which is 150 and another 60.
    expect(performance.now() - start).toBeLessThan(200)
  })

  it('but not after close()', async () => {
    const { client } = openClient('rich', { reconnect: far })
    await client.query({ key: newKey() })
    client.$connection.close()
    const before = await ask<number>('accepted')
    for (const type of ['online', 'pageshow']) dispatchEvent(new Event(type))
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    await sleep(50)
    expect(await ask<number>('accepted')).toBe(before)
    expect(client.$connection.state).toBe('closed')
  })
})

describe('React in StrictMode', () => {
  it('mounts twice, and has one socket and one subscription in the end', async () => {
    const topic = newKey()
    const log: unknown[] = []
    // Of those that black holes left.
    await ask('cut')
    await until(async () => (await ask<number>('live')) === 0)
    const mount = () => {
      const { client } = openClient('rich')
      const leave = client
        .events(topic)
        .subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      return () => {
        leave()
        client.$connection.close()
      }
    }
    mount()()
    const unmount = mount()
    await until(async () => (await runs(topic)).length)
    await sleep(50)
    expect(await ask<number>('live')).toBe(1)
    expect(await runs(topic)).toHaveLength(1)
    await ask('publish', topic, 1)
    await until(() => log.length === 1)
    unmount()
    await until(async () => (await runs(topic))[0]!.ended)
    expect(log).toEqual([1])
  })
})
