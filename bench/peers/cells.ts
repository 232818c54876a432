import type { Contender } from './contenders/index.ts'

/** What is measured: a workload of `workloads.ts`, and with what. */
export interface Cell {
  key: string
  workload: string
  args: Record<string, unknown>
  /** The cell of the base that it is divided by; its own, if nothing is said. */
  against?: string
  /** Only in the full run. */
  full?: boolean
  /** Only in the first round: it counts, and is the same each time. */
  once?: boolean
  /** The first that a new pair of processes does. */
  cold?: boolean
  /** Not where plain Workers would have to touch each other's sockets. */
  shared?: boolean
}

/** How long a cell is measured. */
export interface Scale {
  /** Milliseconds. */
  ms: number
  events: number
  /** Of the broadcast. */
  subscribers: number
  casts: number
}

const load = (key: string, { ms }: Scale, inflight: number, call = 'add'): Cell => ({
  key,
  workload: 'load',
  args: { ms, inflight, call },
})

export const cellsOf = (scale: Scale): Cell[] => {
  const { ms, events, subscribers, casts } = scale
  return [
    { key: 'cold', workload: 'events', args: { n: 2_000, warm: false }, cold: true },
    { key: 'sequential', workload: 'sequential', args: { ms } },
    load('in2', scale, 2),
    load('in10', scale, 10),
    load('in100', scale, 100),
    { ...load('put100', scale, 100, 'put'), against: 'in100' },
    { ...load('zod100', scale, 100, 'addZod'), against: 'in100', full: true },
    load('in1000', scale, 1_000),
    { key: 'fan', workload: 'fan', args: { ms, connections: 50, inflight: 20 } },
    { key: 'order', workload: 'order', args: { ms, inflight: 4 } },
    { key: 'orderChecked', workload: 'order', args: { ms, inflight: 4, call: 'echoChecked' }, against: 'order' },
    { key: 'bytes', workload: 'bytes', args: { ms, inflight: 2 } },
    { key: 'events', workload: 'events', args: { n: events } },
    // A fifth of them, since with compression each frame costs a tenth of a millisecond.
    { key: 'events20k', workload: 'events', args: { n: events / 5 } },
    { key: 'topic', workload: 'events', args: { n: events, call: 'topic' }, against: 'events' },
    { key: 'broadcast', workload: 'broadcast', args: { subscribers, rounds: casts }, shared: true },
    { key: 'wire', workload: 'wire', args: {}, once: true },
  ]
}

/** What of the quick run a host measures; all of it, if nothing is said. */
export const QUICK: Readonly<Record<string, readonly string[]>> = { hibernating: ['in1000'], worker: [] }

export const takesPart = ({ only }: Contender, { key }: Cell): boolean =>
  only ? only.includes(key) : key !== 'events20k'
