import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { connectRaw, type Raw } from '../../test/platform/raw.ts'
import { type Stages, serveStages } from '../../test/platform/stages.ts'

const CROWD = 5_000
const AT_ONCE = 50
/** The platform ends an idle object after ten seconds: no other test waits for it, they say when. */
const ASLEEP = 12_000
/** A machine that is busy takes its time. */
const SOON = { timeout: 10_000 }

let stages: Stages
beforeAll(async () => {
  stages = await serveStages()
})
afterAll(() => stages?.close())

const open = (name: string, user: string): Promise<Raw> =>
  connectRaw(`${stages.ws}/${name}`, { params: { name: user }, session: `session of ${user}` })

describe.concurrent('an object that nobody needs', { timeout: 40_000 }, () => {
  it('leaves memory with 1,000 subscriptions open, and they go on', async ({ expect }) => {
    const raws = await Promise.all([1, 2, 3, 4].map((n) => open('many', `user ${n}`)))
    const subscriptions = raws.flatMap((raw) => {
      const ids = Array.from({ length: 250 }, (_, n) => raw.subscribe(n % 2 ? 'events' : 'read'))
      return ids.map((id) => raw.events.get(id)!)
    })
    await Promise.all(raws.map((raw) => raw.call('echo', 'all have begun')))
    await raws[0]!.call('mark', 'in memory')
    await raws[0]!.call('publish', 'before')
    await expect.poll(() => subscriptions.filter((events) => events.length === 1).length, SOON).toBe(1_000)
    expect(await raws[1]!.call('memory')).toEqual({ version: 'one', marker: 'in memory' })

    await sleep(ASLEEP)
    expect(await stages.lives('many')).toBe(1)
    await stages.call('many', 'announce', 'after')
    await expect.poll(() => subscriptions.filter((events) => events.length === 2).length, SOON).toBe(1_000)

    expect(await stages.lives('many')).toBe(2)
    expect(await raws[1]!.call('memory')).toEqual({ version: 'one', marker: null })
    await raws[2]!.call('publish', 'later')
    await expect.poll(() => subscriptions.filter((events) => events.length === 3).length, SOON).toBe(1_000)
    await sleep(100)
    const told = new Set(subscriptions.map((events) => events.map(([data]) => data).join()))
    expect([...told]).toEqual(['before,after,later'])
    expect(await stages.call('many', 'count')).toMatchObject({ sockets: 4, held: { calls: 1_000 } })
  })

  it('leaves memory while it shows who is there, and knows who comes and goes', async ({ expect }) => {
    const ada = await open('presence', 'Ada')
    const people = ada.events.get(ada.subscribe('people'))!
    const bob = await open('presence', 'Bob')
    await expect.poll(() => people.length, SOON).toBe(2)
    await ada.call('mark', 'in memory')

    await sleep(ASLEEP)
    expect(await stages.lives('presence')).toBe(1)
    const cleo = await open('presence', 'Cleo')
    await expect.poll(() => people.length, SOON).toBe(3)
    expect(await stages.lives('presence')).toBe(2)
    expect(await ada.call('memory')).toMatchObject({ marker: null })
    bob.ws.close(1000)
    await expect.poll(() => people.length, SOON).toBe(4)
    expect(people.map(([event]) => event)).toEqual([
      { type: 'all', members: [{ id: 'Ada' }] },
      { type: 'join', member: { id: 'Bob' } },
      { type: 'join', member: { id: 'Cleo' } },
      { type: 'leave', member: { id: 'Bob' } },
    ])
    cleo.ws.close(1000)
  })

  it('is not woken by pings, nor kept awake', async ({ expect }) => {
    const raw = await open('pinged', 'Ada')
    await raw.call('mark', 'in memory')
    for (let n = 1; n <= 24; n++) {
      await sleep(ASLEEP / 24)
      raw.send([11])
      await expect.poll(() => raw.pongs, SOON).toBe(n)
    }
    expect(await stages.lives('pinged')).toBe(1)
    expect(await raw.call('memory')).toMatchObject({ marker: null })
    expect(await stages.lives('pinged')).toBe(2)
    // Asleep it is asked as well, and stays asleep.
    await stages.evict('pinged')
    for (let n = 0; n < 10; n++) raw.send([11])
    await expect.poll(() => raw.pongs, SOON).toBe(34)
    expect(await stages.lives('pinged')).toBe(2)
  })
})

it.concurrent('5,000 sockets of one object sleep, are told once, and leave nothing', { timeout: 60_000 }, async ({
  expect,
}) => {
  // A process of its own: each socket takes it two file descriptors.
  const stages = await serveStages()
  const raws: Raw[] = []
  const opening = Array.from({ length: AT_ONCE }, async (_, first) => {
    for (let n = first; n < CROWD; n += AT_ONCE) {
      const raw = await connectRaw(`${stages.ws}/crowd`, { session: `session ${n}` })
      raw.subscribe('events')
      raws.push(raw)
    }
  })
  await Promise.all(opening)
  const told = () =>
    raws.map((raw) =>
      raw.events
        .get(1)!
        .map(([data]) => data)
        .join(),
    )
  const heard = (text: string) => told().filter((texts) => texts === text).length
  await stages.call('crowd', 'announce', 'awake')
  await expect.poll(() => heard('awake'), SOON).toBe(CROWD)

  await stages.evict('crowd')
  await stages.call('crowd', 'announce', 'woken')
  await expect.poll(() => heard('awake,woken'), SOON).toBe(CROWD)
  expect(await raws[17]!.call('publish', 'last')).toBe('last')
  await expect.poll(() => heard('awake,woken,last'), SOON).toBe(CROWD)
  expect(await stages.lives('crowd')).toBe(2)
  expect(await stages.call('crowd', 'count')).toMatchObject({ sockets: CROWD, held: { sockets: CROWD, calls: CROWD } })

  // The first of them to leave wakes it up.
  await stages.evict('crowd')
  for (const raw of raws) raw.ws.close(1000)
  const codes = await Promise.all(raws.map(({ closed }) => closed))
  expect(new Set(codes.map(({ code }) => code))).toEqual(new Set([1000]))
  await expect
    .poll(() => stages.call('crowd', 'count'))
    .toMatchObject({
      sockets: 0,
      held: { sockets: 0, sessions: 0, calls: 0, results: 0, resultBytes: 0 },
      pieces: 0,
      sessions: 0,
    })
  await stages.close()
})
