import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { probe, until } from '../../test/probe.ts'
import { sleep } from '../../test/suites/place.ts'

/** The timers that pairwire's own code has set and that are pending: each would keep an object awake. */
const pending = new Map<unknown, string>()
const { setTimeout: set, clearTimeout: clear, setInterval: repeat } = globalThis

const isOurs = (stack: string) =>
  stack
    .split('\n')
    .slice(2)
    .some((line) => /packages\/(server|wire|router|contract)\/src\/(?!.*\.test\.ts)/.test(line))

beforeEach(() => {
  pending.clear()
  vi.stubGlobal('setTimeout', (run: () => void, ms: number, ...rest: unknown[]) => {
    const stack = `${new Error('set').stack}`
    const timer = set(
      () => {
        pending.delete(timer)
        run()
      },
      ms,
      ...(rest as []),
    )
    if (isOurs(stack)) pending.set(timer, `${ms} ms\n${stack}`)
    return timer
  })
  vi.stubGlobal('clearTimeout', (timer: unknown) => {
    pending.delete(timer)
    clear(timer as never)
  })
  vi.stubGlobal('setInterval', (...args: Parameters<typeof repeat>) => {
    const stack = `${new Error('set').stack}`
    const timer = repeat(...args)
    if (isOurs(stack)) pending.set(timer, stack)
    return timer
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

const session = () => `session ${crypto.randomUUID()}`
const none = async () => {
  await sleep(20)
  expect([...pending.values()]).toEqual([])
}

it('sees what pairwire sets, in the isolate of the object', async () => {
  const { open, stub } = probe()
  const raw = await open()
  void stub().move(2_000)
  await raw.until(([op]) => op === 13)
  expect([...pending.values()].map((text) => text.split('\n')[0])).toEqual(['2000 ms'])
  raw.ws.close(4_200)
  await until(() => pending.size === 0)
})

it('leaves none behind a socket, a hello, an authenticate that takes its time, a thousand subscriptions, and what they are sent', async () => {
  const { open, silent, stub } = probe({
    options: { limits: { subscriptions: 1_000 } },
    authenticate: async ({ params }) => {
      await Promise.resolve()
      return (params ?? { name: 'x' }) as never
    },
  })
  await silent()
  await none()
  const raw = await open({ session: session() })
  for (let n = 0; n < 1_000; n++)
    raw.send([2, 2 * n + 1, ['topic', 'ids', 'plain'][n % 3], null, { timeout: 60_000 }, ['undefined']])
  await until(async () => (await stub().holds()).calls === 1_000)
  await none()
  await stub().announce('one')
  await until(() => raw.messages.filter(([op]) => op === 9).length === 1_000)
  await none()
})

it('leaves none behind calls of all kinds that have ended', async () => {
  const { open, stub } = probe()
  const raw = await open({ session: session() })
  for (const [n, path] of ['run', 'idempotent', 'once', 'look'].entries()) {
    raw.send([2, 4 * n + 1, path, { name: 'a' }, { timeout: 60_000 }])
    raw.send([2, 4 * n + 3, path, { name: 'b', gate: 'g' }, { timeout: 60_000 }])
  }
  await until(() => pending.size === 1)
  await stub().open('g')
  for (const id of [1, 3, 5, 7, 9, 11, 13, 15]) expect((await raw.answer(id))?.[0]).toBe(7)
  raw.send([2, 17, '$refresh', { name: 'nobody' }])
  expect((await raw.answer(17))?.[0]).toBe(7)
  await none()
})

it('leaves none behind a socket that is lost, whatever ran on it, once nothing runs', async () => {
  const { open, stub } = probe()
  const raw = await open({ session: session() })
  raw.send([2, 1, 'topic'], [2, 3, 'hang', 'h'], [2, 5, 'plain'], [2, 7, 'run', { name: 'done' }])
  await raw.answer(7)
  await until(async () => (await stub().holds()).calls === 3)
  raw.ws.close(4_104)
  await until(async () => (await stub().rows()).sessions === 1)
  await none()
  const second = await open({ session: session() })
  second.send([2, 1, 'run', { name: 'a', gate: 'late' }], [2, 3, 'topic'])
  await until(async () => (await stub().runs('a')) === 1)
  second.ws.close(4_104)
  // Its grace: what runs keeps the object anyway.
  await until(() => pending.size === 1)
  await stub().open('late')
  await until(() => pending.size === 0)
  await none()
})

it('leaves none behind a sleep, with a context that takes its time', async () => {
  const { open, evict, stub } = probe({ context: (user) => sleep(10).then(() => user) })
  const raw = await open({ session: session() })
  raw.send([2, 1, 'topic', null, { timeout: 60_000 }, ['undefined']], [2, 3, 'plain'])
  await until(async () => (await stub().holds()).calls === 2)
  await evict()
  raw.send([2, 5, 'who'])
  expect((await raw.answer(5))?.[0]).toBe(7)
  await none()
  await evict()
  raw.ws.close(4_104)
  await until(async () => (await stub().rows()).sessions === 1)
  await none()
})

it('ends what runs for a client that did not come back, once its grace is over', async () => {
  const { open, stub } = probe({ options: { grace: 50 } })
  const raw = await open({ session: session() })
  raw.send([2, 1, 'run', { name: 'a', gate: 'never' }])
  await until(async () => (await stub().runs('a')) === 1)
  raw.ws.close(4_104)
  await until(async () => (await stub().holds()).sessions === 0)
  await stub().open('never')
  await none()
  expect(await stub().rows()).toMatchObject({ sessions: 0 })
})
