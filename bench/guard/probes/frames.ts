import { setTimeout as sleep } from 'node:timers/promises'
import { breakBundle } from '../break.ts'
import { type Host, openClient, startHosts, type Traffic } from '../hosts.ts'
import type { GuardClient } from '../workloads.ts'

/** Milliseconds in which nothing more comes, when all has come. */
const SETTLE = 15

const measured = async ({ traffic }: { traffic(): Traffic }, work: () => PromiseLike<unknown>): Promise<Traffic> => {
  const settle = async () => {
    for (let before = -1; before !== traffic().bytesIn; await sleep(SETTLE)) before = traffic().bytesIn
  }
  await settle()
  const before = traffic()
  await work()
  await settle()
  const after = traffic()
  for (const key of Object.keys(after) as (keyof Traffic)[]) after[key] -= before[key]
  return after
}

const burst = (client: GuardClient, n: number) => () =>
  Promise.all(Array.from({ length: n }, () => client.add({ a: 1, b: 2 })))
const sequence = (client: GuardClient, n: number) => async () => {
  for (let i = 0; i < n; i++) await client.add({ a: 1, b: 2 })
}
const generator = (client: GuardClient, n: number) => async () => {
  for await (const _ of client.ticks(n));
}
const topic = (client: GuardClient, n: number) => async () => {
  const events = client.room()[Symbol.asyncIterator]()
  const first = events.next()
  await client.add({ a: 1, b: 2 })
  const published = client.publish(n)
  await first
  for (let i = 1; i < n; i++) await events.next()
  await published
  await events.return!()
}

const EVENTS = 1_000

const framesAt = async (host: Host) => {
  const opened = await openClient(host)
  const { client } = opened
  const found: Record<string, number> = {}
  const both = ({ framesOut, framesIn }: Traffic) => framesOut + framesIn
  const at = (what: string) => `${host.name}: ${what}`
  found[at('a call after the other')] = both(await measured(opened, sequence(client, 100))) / 100
  for (const n of [2, 10, 100, 1_000])
    found[at(`${n.toLocaleString('en')} calls in one turn`)] = both(await measured(opened, burst(client, n)))
  found[at('1,000 events of a generator')] = (await measured(opened, generator(client, EVENTS))).framesIn
  found[at('1,000 events of a topic')] = (await measured(opened, topic(client, EVENTS))).framesIn
  client.$connection.close()
  return found
}

/** As the bench weighs them: with ids of three digits. */
const bytesAt = async (host: Host) => {
  const opened = await openClient(host)
  const { client } = opened
  await sequence(client, 100)()
  const single = await measured(opened, sequence(client, 200))
  const fifty = await measured(opened, burst(client, 50))
  const events = await measured(opened, generator(client, EVENTS))
  const published = await measured(opened, topic(client, EVENTS))
  client.$connection.close()
  return {
    'a call': single.bytesOut / 200,
    'its answer': single.bytesIn / 200,
    'a call, in bursts of 50': fifty.bytesOut / 50,
    'its answer, in bursts of 50': fifty.bytesIn / 50,
    'an event of a generator': events.bytesIn / EVENTS,
    'an event of a topic': published.bytesIn / EVENTS,
  }
}

/** @param broken the name of what workerd is given broken, too */
export const measure = async (broken?: string) => {
  const { hosts, close } = await startHosts(breakBundle(broken))
  const frames: Record<string, number> = {}
  for (const host of hosts) Object.assign(frames, await framesAt(host))
  const bytes = await bytesAt(hosts[0]!)
  await close()
  return { bytes, frames }
}
