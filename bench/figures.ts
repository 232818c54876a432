// The tables of the documentation, of what bench/results holds: `npm run figures` writes them, and `npm test` compares.
import { readFileSync } from 'node:fs'
import { type Growth, verdictsOf } from './growth/report.ts'
import { behindOf } from './peers/behind.ts'
import type { Host } from './peers/contenders/index.ts'
import type { Results } from './peers/results.ts'
import { type Row, rowsOf } from './peers/rows.ts'
import { HOSTS, markdown, rate, times, whole } from './peers/table.ts'

const read = (name: string) => JSON.parse(readFileSync(new URL(`results/${name}.json`, import.meta.url), 'utf8'))
const peers = read('peers') as Partial<Results> & Pick<Results, 'rates' | 'wires' | 'memory'>
const growth = read('growth') as Growth
const rows = rowsOf(peers as Results)

const MISSING = '*Not measured in this run.*'
const kB = (bytes: number) => `${(bytes / 1_000).toFixed(2)} kB`
const peersOf = ({ values }: Row) =>
  Object.entries(values).filter(([name]) => name !== 'raw' && name !== 'pairwire' && !name.includes(' '))

/** Who measured what, and when. */
const run = () => {
  const { made, mode, rounds, machine, versions, disturbed, provisional } = peers as Results
  return [
    ...(provisional
      ? [
          '**Provisional: the machine was busy with other things. Ratios may be off by half, absolute numbers by more.**\n',
        ]
      : []),
    `A ${mode} run of ${made.slice(0, 10)}, medians of ${rounds} rounds: ${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, workerd ${versions.workerd}, ws ${versions.ws}, zod ${versions.zod}; oRPC ${versions['@orpc/server']}, birpc ${versions.birpc}, tRPC ${versions['@trpc/server']}, Cap'n Web ${versions.capnweb}, Socket.IO ${versions['socket.io']}, agents ${versions.agents}. In ${disturbed.cells} of ${disturbed.of} measurements other processes used more than a quarter of a core.`,
  ].join('\n')
}

const CELL_HOSTS: readonly Host[] = ['node', 'object', 'hibernating']
const ratios = () => {
  const mine = rows.filter(({ unit }) => unit === '×')
  const hosts = CELL_HOSTS.filter((host) => mine.some((row) => row.host === host))
  const titles = [...new Set(mine.map(({ title }) => title))]
  return markdown(
    ['', ...hosts.flatMap((host) => [HOSTS[host], 'best peer'])],
    titles.map((title) => [
      title,
      ...hosts.flatMap((host) => {
        const row = mine.find((row) => row.host === host && row.title === title)
        const [best] = row ? peersOf(row).sort(([, a], [, b]) => b.median - a.median) : []
        return [
          row?.values.pairwire ? `**×${times(row.values.pairwire.median)}**` : '–',
          best ? `×${times(best[1].median)} ${best[0]}` : '–',
        ]
      }),
    ]),
  )
}

const behind = () => {
  const found = behindOf(rows)
  if (!found.length) return 'pairwire is first in all that was measured.'
  const keys = [...new Set(found.map(({ row }) => row.key))]
  return keys
    .map((key) => {
      const group = found.filter(({ row }) => row.key === key)
      const places = group.map(({ row, ahead }) => {
        const text = (n: number) => (row.unit === '×' ? `×${times(n)}` : `${whole(n)} ${row.unit}`.trim())
        const name = (who: string) => (who === 'raw' ? 'a raw socket' : who)
        const others = ahead.map(([who, n]) =>
          who === 'raw' && row.unit === '×' ? 'a raw socket' : `${name(who)} ${text(n)}`,
        )
        return `${row.host && row.unit === '×' ? `${HOSTS[row.host]}: ` : ''}${text(row.values.pairwire!.median)}, behind ${others.join(', ')}`
      })
      const { row, reason } = group[0]!
      return `- **${row.title[0]!.toUpperCase()}${row.title.slice(1)}** (${places.join('; ')}): ${reason}.`
    })
    .join('\n')
}

const PRICES: [key: string, title: string][] = [
  ['sequential', 'a call alone'],
  ['in100', 'a call of 100 in flight'],
  ['put100', 'a mutation of 100 in flight'],
  ['in1000', 'a call of 1,000 in flight'],
  ['events', 'an event of a generator'],
  ['topic', 'an event of a topic'],
  ['broadcast', 'an event of 500 subscribers, each'],
  ['order', '10 KB with dates and maps, there and back'],
]
/** Microseconds of the processor. */
const prices = () => {
  const hosts: Host[] = ['node', 'object']
  const cell = (host: Host, contender: string, key: string) => {
    const found = peers.rates.find((r) => r.host === host && r.contender === contender && r.cell === key)
    return found ? `${found.client.toFixed(1)} + ${found.server.toFixed(1)}` : '–'
  }
  return markdown(
    ['µs of the processor, client + server', ...hosts.flatMap((host) => [HOSTS[host], 'raw'])],
    PRICES.map(([key, title]) => [
      title,
      ...hosts.flatMap((host) => [cell(host, 'pairwire', key), cell(host, 'raw', key)]),
    ]),
  )
}

const wire = () =>
  markdown(
    ['bytes, with framing', 'call', 'answer', 'call of 50 at once', 'answer', 'event'],
    peers.wires
      .filter(({ host }) => host === 'node')
      .map(({ contender, call, answer, burstCall, burstAnswer, event }) => [
        contender,
        ...[call, answer, burstCall, burstAnswer, event].map((n) => n?.toFixed(1) ?? '–'),
      ]),
  )

const memory = () =>
  peers.memory.length
    ? markdown(
        ['bytes of heap, Node', 'a connection', 'a subscription to a topic', 'a subscription from a generator'],
        peers.memory.map(({ contender, connection, topic, generator }) => [
          contender,
          ...[connection, topic, generator].map((spread) => (spread ? whole(spread.median) : '–')),
        ]),
      )
    : MISSING

const features = () =>
  peers.features?.length
    ? markdown(
        ['a page that imports', 'minified', 'gzip'],
        peers.features.map(({ title, min, gzip }) => [title, kB(min), kB(gzip)]),
      )
    : MISSING

const parts = () => {
  if (!peers.parts?.length) return MISSING
  const all = peers.parts.reduce((sum, { min }) => sum + min, 0)
  return markdown(
    ['what the bytes of `client` are for', 'minified', ''],
    peers.parts.map(({ purpose, min }) => [purpose, kB(min), `${Math.round((min / all) * 100)} %`]),
  )
}

const workers = () =>
  peers.workers?.length
    ? markdown(
        ['a Worker', '', 'minified', 'gzip', 'until it is imported'],
        peers.workers.map(({ contender, host, min, gzip, ms }) => [
          contender,
          HOSTS[host],
          kB(min),
          kB(gzip),
          ms ? `${ms.median.toFixed(1)} ms` : '–',
        ]),
      )
    : MISSING

const COMPRESSED: [title: string, cell: string, plain: string][] = [
  ['calls, one after the other', 'sequential', 'sequential'],
  ['calls, 100 in flight', 'in100', 'in100'],
  ['events of a generator', 'events20k', 'events'],
]
const compression = () => {
  const lines = COMPRESSED.flatMap(([title, key, plain]) =>
    ['raw', 'pairwire'].flatMap((contender) => {
      const find = (variant: string, cell: string) =>
        peers.rates.find((r) => r.host === 'object' && r.contender === contender + variant && r.cell === cell)
      const [off, on, declined] = [find('', plain), find(', deflate', key), find(', declined', key)]
      if (!off || !on) return []
      const bytes = (found: typeof on) => (found.bytes === undefined ? '–' : found.bytes.toFixed(1))
      const cpu = (found: typeof on) => `${found.client.toFixed(1)} + ${found.server.toFixed(1)}`
      return [
        [
          `${title}, ${contender}`,
          `${rate(off.perSecond.median)}/s`,
          `${rate(on.perSecond.median)}/s`,
          declined ? `${rate(declined.perSecond.median)}/s` : '–',
          `${bytes(off)} → ${bytes(on)}`,
          `${cpu(off)} → ${cpu(on)}`,
        ],
      ]
    }),
  )
  return lines.length
    ? markdown(
        [
          'Durable Object',
          'not offered',
          'compressed',
          'offered, and declined by the flag',
          'bytes of each',
          'µs of the processor for each, client + server',
        ],
        lines,
      )
    : MISSING
}

const grown = () => {
  const { machine, made, rounds } = growth
  return `${verdictsOf(growth.series)}\n\nOf ${made.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, Node ${machine.node}, workerd ${growth.versions.workerd}; medians of ${rounds}.`
}

/** Each by the name that a page calls it. */
export const figures: Readonly<Record<string, () => string>> = {
  run,
  ratios,
  behind,
  prices,
  wire,
  memory,
  features,
  parts,
  workers,
  compression,
  growth: grown,
}
