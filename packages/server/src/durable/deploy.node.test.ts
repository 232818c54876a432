import { setTimeout as sleep } from 'node:timers/promises'
import { isRpcError } from '@pairwire/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type StageClient, type Stages, serveStages } from '../../test/platform/stages.ts'

const CLIENTS = 4
const SOON = { timeout: 20_000 }
/** Milliseconds between two faults, in which everybody comes back and goes on. */
const APART = 700

let stages: Stages
beforeAll(async () => {
  stages = await serveStages()
})
afterAll(() => stages?.close())

const KINDS = ['plain', 'slow', 'idempotent', 'once', 'slowOnce', 'echo', 'slowEcho', 'publish'] as const
type Kind = (typeof KINDS)[number]

/** How one call ended: with its value, or else with whether it had run, as far as its caller was told. */
interface Outcome {
  readonly kind: Kind
  readonly name: string
  readonly ended: 'value' | 'no' | 'yes' | 'unknown' | 'wrong'
}

interface Visitor {
  readonly client: StageClient
  readonly events: string[]
  readonly gaps: unknown[]
  readonly failures: unknown[]
  sockets: number
}

it('deploys and crashes lose nothing, and make nothing happen twice', { timeout: 60_000 }, async () => {
  const name = 'deployed'
  let going = true
  const outcomes: Outcome[] = []

  const call = async ({ client }: Visitor, kind: Kind, name: string) => {
    try {
      outcomes.push({ kind, name, ended: (await client[kind](name)) === name ? 'value' : 'wrong' })
    } catch (error) {
      outcomes.push({ kind, name, ended: isRpcError(error) ? (error.executed ?? 'unknown') : 'wrong' })
    }
  }
  const visit = (index: number): Visitor => {
    const client = stages.connect(name, { params: { name: `user ${index}` }, timeout: 30_000 })
    const visitor: Visitor = { client, events: [], gaps: [], failures: [], sockets: 0 }
    client.$connection.on('state', (state) => {
      if (state === 'open') visitor.sockets++
    })
    const source = index % 2 ? client.events() : client.read()
    source.subscribe({
      onData: (event) => void visitor.events.push(event),
      onGap: (gap) => visitor.gaps.push(gap),
      onError: (error) => visitor.failures.push(error),
    })
    return visitor
  }
  const visitors = Array.from({ length: CLIENTS }, (_, index) => visit(index))
  await Promise.all(visitors.map(({ client }) => client.echo('all have begun')))

  // Each client makes calls of all kinds, one of each at a time.
  const loads = visitors.flatMap((visitor, index) =>
    KINDS.map(async (kind) => {
      for (let n = 0; going; n++) {
        await call(visitor, kind, `${kind} ${index}.${n}`)
        await sleep(5)
      }
    }),
  )
  const faults = [
    () => stages.deploy('two'),
    () => stages.call(name, 'crash').catch(() => {}),
    () => stages.evict(name),
    () => stages.deploy('three'),
    () => stages.call(name, 'crash').catch(() => {}),
  ]
  await sleep(APART)
  for (const fault of faults) {
    await fault()
    await sleep(APART)
  }
  going = false
  await Promise.all(loads)
  await stages.call(name, 'announce', 'the end')
  for (const { events } of visitors) await expect.poll(() => events.at(-1), SOON).toBe('the end')

  // 1. Whoever was there came back, to the code of the last deploy, and was not told of any gap.
  expect(await visitors[0]!.client.memory()).toMatchObject({ version: 'three' })
  for (const { sockets, gaps, failures } of visitors) {
    expect(sockets).toBeGreaterThanOrEqual(5)
    expect({ gaps, failures }).toEqual({ gaps: [], failures: [] })
  }

  // 2. All have the same events, each once, and among them all whose publishing had a result.
  const [first, ...others] = visitors.map(({ events }) => events)
  for (const events of others) expect(events).toEqual(first)
  expect(new Set(first).size).toBe(first!.length)
  const published = outcomes.filter(({ kind, ended }) => kind === 'publish' && ended === 'value')
  expect(published.filter(({ name }) => !first!.includes(name))).toEqual([])
  const unknown = outcomes.filter(({ kind, ended }) => kind === 'publish' && ended === 'unknown')
  expect(first!.length).toBeLessThanOrEqual(published.length + unknown.length + 1)

  // 3. What callers were told is what happened.
  const runs = (await stages.call(name, 'runs')) as Record<string, number>
  const of = (...kinds: Kind[]) => outcomes.filter(({ kind }) => kinds.includes(kind))
  const never: Outcome[] = of(...KINDS).filter(({ ended }) => ended === 'wrong')
  expect(never).toEqual([])
  expect(of('echo', 'slowEcho', 'idempotent').filter(({ ended }) => ended !== 'value')).toEqual([])
  for (const { name, ended } of of('plain', 'slow', 'once', 'slowOnce')) {
    const ran = runs[name] ?? 0
    if (ended === 'value') expect({ name, ran }).toEqual({ name, ran: 1 })
    else if (ended === 'no') expect({ name, ran }).toEqual({ name, ran: 0 })
    else expect(ran, name).toBeLessThanOrEqual(1)
  }
  for (const { name } of of('idempotent')) expect(runs[name], name).toBeGreaterThanOrEqual(1)
  // A handler without `await` and its record are one: nobody has to be left in doubt.
  expect(of('once').filter(({ ended }) => ended !== 'value')).toEqual([])
  // At most the one that was under way at each fault.
  for (const kind of KINDS)
    expect(of(kind).filter(({ ended }) => ended === 'unknown').length).toBeLessThanOrEqual(CLIENTS * faults.length)
  for (const { client } of visitors) {
    expect(client.$connection.pending).toBe(1)
    client.$connection.close()
  }
})
