import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { serve } from '../../server/test/suites/node.ts'
import { errorOf, eventually, newKey, openClient, outcome, type Place, sleep } from '../../server/test/suites/place.ts'
import type { TestRouter } from '../../server/test/suites/router.ts'
import { createClient as createJsonClient } from './json.ts'

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))
const node = await serve()
const place: Place = {
  connect: (server) => new WebSocket(`ws://${node.host}/${server}`, ['pairwire.1']) as never,
}
afterEach(async () => {
  await sleep(20)
  expect(stray).toEqual([])
})
afterAll(() => node.close())

const fails = (): never => {
  throw new Error('mine')
}

describe('a callback that throws', () => {
  it('as onData ends that subscription, by onError where there is one, and by a report where not', async () => {
    const client = openClient(place)
    const report = vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const onData of [fails, async () => fails()]) {
      const key = newKey()
      const heard: unknown[] = []
      client.open(key).subscribe({ onData, onError: ({ code, cause }) => heard.push(code, cause) })
      expect(
        await eventually(
          () => client.witness.of(key),
          ({ length }) => length > 0,
        ),
      ).toEqual(['finally'])
      expect(heard).toEqual(['UNKNOWN', new Error('mine')])
      const other = newKey()
      client.open(other).subscribe({ onData })
      expect(
        await eventually(
          () => client.witness.of(other),
          ({ length }) => length > 0,
        ),
      ).toEqual(['finally'])
    }
    expect(report).toHaveBeenCalledTimes(2)
    report.mockRestore()
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
  })

  it('as onError or onDone is reported', async () => {
    const client = openClient(place)
    const report = vi.spyOn(console, 'error').mockImplementation(() => {})
    client.throws.inStream('error').subscribe({ onError: fails })
    client.throws.inStream('error').subscribe({ onError: async () => fails() })
    client.count(1).subscribe({ onDone: fails })
    client.count(1).subscribe({})
    client.throws.inStream('error').subscribe({})
    await eventually(
      () => report.mock.calls.length,
      (n) => n >= 4,
    )
    expect(report).toHaveBeenCalledTimes(4)
    report.mockRestore()
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
  })

  it('as a state listener is reported, and the others still hear', async () => {
    const client = openClient(place)
    const report = vi.spyOn(console, 'error').mockImplementation(() => {})
    const states: string[] = []
    client.$connection.on('state', fails)
    client.$connection.on('state', (state) => states.push(state))
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
    client.$connection.close()
    expect(states).toEqual(['connecting', 'open', 'closed'])
    await vi.waitFor(() => expect(report).toHaveBeenCalledTimes(3))
    report.mockRestore()
  })

  it('as params or connect is tried again, and calls that run out of time meanwhile say why', async () => {
    for (const options of [{ params: fails }, { params: async () => fails() }, { connect: fails }]) {
      const client = openClient(place, 'main', { ...options, reconnect: { minDelay: 1 } })
      const errors = [
        errorOf(client.nothing(undefined, { timeout: 30 })),
        errorOf(client.nothing(undefined, { timeout: 30 })),
      ]
      for (const { code, executed, message } of await Promise.all(errors)) {
        expect([code, executed]).toEqual(['DEADLINE_EXCEEDED', 'no'])
        expect(message).toContain('mine')
      }
      client.$connection.close()
      expect(await outcome(client.nothing())).toEqual(['UNAVAILABLE', 'no'])
    }
  })
})

describe('a call that nobody awaits', () => {
  it('is no unhandled rejection, however it ends', async () => {
    const client = openClient(place)
    client.throws.anything('error')
    client.throws.inStream('error')
    client.add({} as never)
    client.echo(() => {})
    client.wait(newKey(), { timeout: 20 })
    client.wait(newKey())
    await sleep(50)
    client.$connection.close()
    client.nothing()
  })
})

describe('the client of plain JSON', () => {
  const open = () => createJsonClient<TestRouter>(`ws://${node.host}/main`, { WebSocket: WebSocket as never })

  it('talks to the same server', async () => {
    const client = open()
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    expect(await client.echo({ a: [1, 'x', null, true] })).toEqual({ a: [1, 'x', null, true] })
    const events: number[] = []
    for await (const n of client.count(500)) events.push(n)
    expect(events.length).toBe(500)
    expect((await outcome(client.throws.empty()))[0]).toBe('CLOSED')
    client.$connection.close()
  })

  it('gets no keys that are undefined, and fails at the server for what JSON does not have', async () => {
    const client = open()
    const rich = openClient(place)
    expect(await client.echo({ a: undefined, b: 1 })).toEqual({ b: 1 })
    expect(await client.echo()).toBe(undefined)
    const events: unknown[] = []
    const iterate = async () => {
      for await (const event of client.tracked()) events.push(event)
    }
    for (const call of [client.throws.declared(), iterate()]) {
      const error = await Promise.resolve(call).catch((error) => error)
      expect(error.code).toBe('INTERNAL')
    }
    // What is undefined is null where an id stands behind it: JSON has no more.
    expect(events).toEqual(['one', null])
    const error = await errorOf(client.outputs.odd('bytes'))
    expect([error.code, error.executed]).toEqual(['INTERNAL', 'yes'])
    expect(await rich.witness.report((error.data as { id: string }).id)).toMatchObject({ path: 'outputs.odd' })
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
    client.$connection.close()
  })
})
