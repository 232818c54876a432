import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectRaw, type Raw } from '../../test/platform/raw.ts'
import { type Stages, serveStages } from '../../test/platform/stages.ts'

const CROWD = 5_000
const AT_ONCE = 50

let stages: Stages
beforeAll(async () => {
  stages = await serveStages()
})
afterAll(() => stages?.close())

it('5,000 sockets of one object sleep, are told once, and leave nothing', { timeout: 60_000 }, async () => {
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
  await expect.poll(() => heard('awake'), { timeout: 10_000 }).toBe(CROWD)

  await stages.evict('crowd')
  await stages.call('crowd', 'announce', 'woken')
  await expect.poll(() => heard('awake,woken'), { timeout: 10_000 }).toBe(CROWD)
  expect(await raws[17]!.call('publish', 'last')).toBe('last')
  await expect.poll(() => heard('awake,woken,last'), { timeout: 10_000 }).toBe(CROWD)
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
})
