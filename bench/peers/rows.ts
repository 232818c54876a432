import { type Host, variantOf } from './contenders/index.ts'
import type { Results } from './results.ts'
import type { Spread } from './spread.ts'

/** A line of the table of targets. */
export interface Row {
  /** A cell, or what else was measured. */
  key: string
  title: string
  host?: Host
  target: number
  /** `×`: a ratio to the raw socket, of which more is better; of all others less is. */
  unit: '×' | 'B' | ''
  /** By contender. */
  values: Record<string, Spread>
  /** What the raw socket does in a second, where the rest is divided by it. */
  raw?: number
}

/** A ratio to raw, on one host after the other. */
const ratios: [title: string, cell: string, targets: Partial<Record<Host, number>>, of?: string][] = [
  ['one call after the other', 'sequential', { object: 0.95, node: 0.95 }],
  ['2 calls in flight', 'in2', { object: 1, node: 1 }],
  ['10 calls in flight', 'in10', { object: 2, node: 1.1 }],
  ['100 calls in flight', 'in100', { object: 8, node: 3.5 }],
  ['1,000 calls in flight', 'in1000', { object: 14, node: 5 }],
  ['50 connections, 20 calls in flight on each', 'fan', { object: 10, node: 4.5 }],
  ['100,000 events from an async generator', 'events', { object: 7, node: 6 }],
  ['100,000 events from a topic', 'topic', { object: 9, node: 8 }],
  ['one event to 500 subscribers', 'broadcast', { object: 0.98, node: 0.98 }],
  ['10 KB with dates and maps, against plain JSON', 'order', { object: 0.7, node: 0.7 }],
  ['1 MB of bytes', 'bytes', { object: 0.95, node: 0.95 }],
  ['100 calls in flight, with permessage-deflate', 'in100', { object: 20 }, ', deflate'],
  ['events, with permessage-deflate', 'events20k', { object: 30 }, ', deflate'],
  ['1,000 calls in flight, an object that hibernates', 'in1000', { hibernating: 14 }],
]

/** A peer that has to be given superjson for what it lacks. */
const RICH = ' + superjson'

const exactly = (value: number): Spread => ({ median: value, low: value, high: value, n: 1 })
const entriesOf = <T>(items: readonly T[], of: (item: T) => readonly [string, Spread | undefined]) =>
  Object.fromEntries(items.map(of).filter((entry): entry is [string, Spread] => !!entry[1]))

/** The table of targets, as far as it was measured. */
export const rowsOf = ({ rates, wires, memory, sizes, types }: Results): Row[] => {
  const rows: Row[] = []
  for (const [title, cell, targets, suffix = ''] of ratios)
    for (const [host, target] of Object.entries(targets) as [Host, number][]) {
      const here = rates.filter(
        (rate) =>
          rate.host === host &&
          rate.cell === cell &&
          variantOf(rate.contender) === suffix &&
          // What arrives without its dates and maps has done something else.
          (rate.rich !== false || rate.contender === 'raw') &&
          (!rate.contender.endsWith(RICH) || cell === 'order' || cell === 'bytes'),
      )
      const values = entriesOf(here, ({ contender, ratio }) => [contender.replace(suffix, '').replace(RICH, ''), ratio])
      const raw = rates.find(
        (rate) =>
          rate.host === host && rate.cell === (cell === 'topic' ? 'events' : cell) && rate.contender === `raw${suffix}`,
      )
      rows.push({
        key: cell + suffix,
        title,
        host,
        target,
        unit: '×',
        values,
        ...(raw && { raw: raw.perSecond.median }),
      })
    }
  const wire = wires.filter(({ host, contender }) => host === 'node' && !contender.includes(' '))
  const heap = (title: string, target: number, of: 'connection' | 'topic' | 'generator') =>
    rows.push({
      key: `heap, ${of}`,
      title: `server heap of an idle ${title}`,
      host: 'node',
      target,
      unit: 'B',
      values: entriesOf(memory, (row) => [row.contender, row[of]]),
    })
  heap('subscription from an async generator', 1_500, 'generator')
  heap('subscription to a topic', 600, 'topic')
  heap('connection', 4_800, 'connection')
  rows.push(
    {
      key: 'wire',
      title: 'a call and its answer on the wire',
      target: 40,
      unit: 'B',
      values: entriesOf(wire, ({ contender, call, answer }) => [contender, exactly(call + answer)]),
    },
    {
      key: 'wire, burst',
      title: 'the same in bursts of 50',
      target: 35,
      unit: 'B',
      values: entriesOf(wire, ({ contender, burstCall, burstAnswer }) => [contender, exactly(burstCall + burstAnswer)]),
    },
    {
      key: 'size',
      title: 'client in a page, gzip, with all types',
      target: 9_000,
      unit: 'B',
      values: entriesOf(
        Object.entries(sizes).filter(([name]) => !name.includes(',')),
        ([name, size]) => [name, exactly(size)],
      ),
    },
    {
      key: 'size, JSON',
      title: 'client in a page, gzip, JSON only',
      target: 5_000,
      unit: 'B',
      values: entriesOf(
        Object.entries(sizes).filter(([name]) => name.includes(',')),
        ([name, size]) => [name.split(',')[0]!, exactly(size)],
      ),
    },
    {
      key: 'types',
      title: 'type instantiations: 500 procedures, 100 calls',
      target: 250_000,
      unit: '',
      values: entriesOf(
        Object.entries(types).filter(([what]) => what === 'contract and 100 calls'),
        ([, count]) => ['pairwire', exactly(count)],
      ),
    },
    {
      key: 'types, router',
      title: 'the same, and a router of 500 handlers',
      target: 250_000,
      unit: '',
      values: entriesOf(
        Object.entries(types).filter(([what]) => what === 'router of 500 handlers and 100 calls'),
        ([, count]) => ['pairwire', exactly(count)],
      ),
    },
  )
  return rows
}

/** Whether less is better. */
export const isLess = ({ unit }: Pick<Row, 'unit'>): boolean => unit !== '×'

/** Whether a row's target is met; undefined where it was not measured. */
export const isMet = (row: Row): boolean | undefined => {
  const mine = row.values.pairwire?.median
  if (mine === undefined) return undefined
  return isLess(row) ? mine <= row.target : mine >= row.target
}
