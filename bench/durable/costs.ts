import { connectRaw, type Raw } from '../../packages/server/test/platform/raw.ts'
import type { Bench } from './bench.ts'
import type { Counts } from './counts.ts'
import { roomCrowd } from './crowd.ts'

/** What one thing costs an object, on average. */
export interface Cost extends Counts {
  readonly what: string
}

const MANY = 100
const TEXT = 'It is a quarter past nine, and all is well in the harbour.'

const average = (what: string, counts: Counts, n: number): Cost => {
  const each = Object.entries(counts).map(([name, count]) => [name, (count as number) / n])
  return { what, ...(Object.fromEntries(each) as Counts) }
}

const leave = async (raws: readonly Raw[]) => {
  for (const { ws } of raws) ws.close(1000)
  await Promise.all(raws.map(({ closed }) => closed))
}

export const countCosts = async (served: Bench): Promise<Cost[]> => {
  const costs: Cost[] = []
  const name = 'counted-costs'
  const count = async (what: string, n: number, work: () => Promise<unknown>) => {
    await served.counts()
    await work()
    // What follows an answer, in the same turn.
    await served.call(name, 'nothing')
    costs.push(average(what, await served.counts(), n))
  }
  const each = async (work: (n: number) => Promise<unknown>) => {
    for (let n = 0; n < MANY; n++) await work(n)
  }
  const connect = (n: number | string) =>
    connectRaw(`${served.ws}/${name}`, { session: `session-${n}`.padEnd(21, '_') })

  const first = await connectRaw(`${served.ws}/${name}`)
  await served.call(name, 'prepare')
  await served.counts()
  await first.call('post', TEXT)
  await first.call('once', TEXT)
  costs.push(average('the first event and the first `once`, which make the tables', await served.counts(), 1))

  const raws: Raw[] = []
  const open = async (n: number) => void raws.push(await connect(n))
  await count('a connection', MANY, () => each(open))
  const listen = (n: number) => {
    raws[n]!.subscribe('events')
    return raws[n]!.call('echo', '')
  }
  await count('a subscription with a query', MANY, () => each(listen))
  await count('a call: query', MANY, () => each(() => first.call('echo', TEXT)))
  const one = await connect('one')
  const calls = {
    nothing: 'a call: mutation, sync',
    write: 'a call: mutation, sync, of one row',
    writeSoon: 'a call: mutation, async, of one row',
    once: 'a call: `once`, sync, of one row',
    onceSoon: 'a call: `once`, async, of one row',
  }
  for (const [path, what] of Object.entries(calls))
    await count(what, MANY, () => each(() => one.call(path, path === 'nothing' ? undefined : TEXT)))
  await count('a connection that is closed', MANY, () => leave(raws))
  raws.length = 0
  await each(open)
  await count('a socket that is lost', MANY, async () => {
    for (const raw of raws) raw.ws.terminate()
    await served.until(async () => (await served.call(name, 'sockets')) === 2)
  })
  await count('a client that comes back', MANY, () => each(open))
  await leave([...raws, first, one])

  for (const [sockets, subscriptions] of [
    [1, 1],
    [1, 100],
    [100, 1],
    [5_000, 1],
  ] as const) {
    const room = `counted-all-${sockets}-${subscriptions}`
    const crowd = await roomCrowd(served, room, 'CountedRoom', { sockets, subscriptions })
    const times = sockets > 100 ? 10 : subscriptions > 1 ? MANY : 10 * MANY
    await crowd.tell()
    await served.counts()
    for (let n = 0; n < times; n++) await crowd.tell('announce')
    await served.call(room, 'nothing')
    costs.push(
      average(
        `an event for ${sockets * subscriptions} on ${sockets === 1 ? 'one socket' : `${sockets} sockets`}`,
        await served.counts(),
        times,
      ),
    )
    await crowd.leave()
  }
  return costs
}
