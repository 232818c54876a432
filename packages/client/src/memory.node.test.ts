import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { serve } from '../../server/test/suites/node.ts'
import { openClient, outcome, type Place } from '../../server/test/suites/place.ts'

const node = await serve()
afterAll(() => node.close())
const place: Place = {
  connect: (server) => new WebSocket(`ws://${node.host}/${server}`, ['pairwire.1']) as never,
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const heap = async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

describe('memory', () => {
  it('stays flat over 100,000 events', async () => {
    const client = openClient(place)
    const read = async (n: number) => {
      let events = 0
      for await (const _ of client.count(n)) events++
      expect(events).toBe(n)
    }
    await read(20_000)
    const before = await heap()
    await read(100_000)
    expect((await heap()) - before).toBeLessThan(4)
  })

  it('stays flat over 50,000 calls, answered, failed or aborted', async () => {
    const client = openClient(place)
    const call = async (n: number) => {
      for (let i = 0; i < n; i += 100) {
        await Promise.all(
          Array.from({ length: 100 }, (_, a) => {
            if (a % 10) return client.add({ a, b: 1 })
            if (a % 20) return outcome(client.throws.empty())
            const controller = new AbortController()
            const aborted = outcome(client.add({ a, b: 1 }, { signal: controller.signal }))
            controller.abort()
            return aborted
          }),
        )
      }
    }
    await call(10_000)
    const before = await heap()
    await call(50_000)
    expect((await heap()) - before).toBeLessThan(4)
  })
})

describe('timers', () => {
  it('at the client is one for all calls, that ends with the connection; at the server none is left when calls have ended', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const client = openClient(place)
    await client.nothing()
    const idle = timers()
    await Promise.all(Array.from({ length: 10 }, () => client.sleep(20)))
    await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(idle))
    client.$connection.close()
    await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before))
  })
})
