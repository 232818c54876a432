import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectRaw } from '../../test/platform/raw.ts'
import { type Stages, serveStages } from '../../test/platform/stages.ts'
import type { Count } from '../../test/platform/worker/contract.ts'

/** 50 MB, far more than TCP and the window hold. */
const [EVENTS, SIZE] = [5_000, 10_000]
const WINDOW = 262_144
const SOON = { timeout: 20_000 }

let stages: Stages
beforeAll(async () => {
  stages = await serveStages()
})
afterAll(() => stages?.close())

const count = (name: string) => stages.call(name, 'count') as Promise<Count>

describe('a consumer that does not read its socket', { timeout: 40_000 }, () => {
  it('holds up the handler, and not the memory of its object', async () => {
    const raw = await connectRaw(`${stages.ws}/flood`)
    await raw.call('echo', '')
    raw.ws.pause()
    const events = raw.events.get(raw.subscribe('flood', { events: EVENTS, size: SIZE }))!
    await expect.poll(async () => (await count('flood')).flooded, SOON).toBeGreaterThan(20)
    await sleep(500)
    const { flooded, buffered } = await count('flood')
    expect(flooded).toBeLessThan(WINDOW / SIZE + 2)
    expect(buffered).toBeLessThan(2 * WINDOW)
    raw.ws.resume()
    await expect.poll(() => events.length, SOON).toBe(EVENTS)
    expect((await count('flood')).buffered).toBeLessThan(2 * WINDOW)
  })

  it('is sent what was published as it reads on, awake or asleep in between', async () => {
    const raw = await connectRaw(`${stages.ws}/pour`)
    const events = raw.events.get(raw.subscribe('events'))!
    await raw.call('echo', '')
    raw.ws.pause()
    for (let n = 0; n < 10; n++) await stages.call('pour', 'pour', EVENTS / 10, SIZE)
    await sleep(200)
    expect((await count('pour')).buffered).toBeLessThan(2 * WINDOW)
    await stages.evict('pour')
    await stages.call('pour', 'announce', 'the end')
    expect(await count('pour')).toMatchObject({ sockets: 1, held: { calls: 1 } })
    raw.ws.resume()
    await expect.poll(() => events.at(-1)?.[0], SOON).toBe('the end')
    expect(events.length).toBe(EVENTS + 1)
    const offsets = events.map(([, id]) => Number(id!.split('.')[1]))
    expect(offsets.every((offset, n) => offset === n + 1)).toBe(true)
    expect((await count('pour')).buffered).toBeLessThan(2 * WINDOW)
  })
})
