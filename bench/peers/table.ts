import { contenders, type Host } from './contenders/index.ts'
import type { Rate, Results } from './results.ts'
import { isMet, type Row, rowsOf } from './rows.ts'
import type { Spread } from './spread.ts'

export const HOSTS: Record<Host, string> = {
  node: 'Node',
  worker: 'Worker',
  object: 'Durable Object',
  hibernating: 'hibernating Durable Object',
}

const CELLS: Record<string, string> = {
  cold: 'the first 2,000 events after the start',
  sequential: 'one after the other',
  in2: '2 in flight',
  in10: '10 in flight',
  in100: '100 in flight',
  put100: '100 mutations in flight',
  zod100: '100 in flight, with zod',
  in1000: '1,000 in flight',
  fan: '50 × 20 in flight',
  order: '10 KB',
  orderChecked: '10 KB, with zod',
  bytes: '1 MB',
  events: '100,000 events',
  events20k: '20,000 events',
  topic: '100,000 of a topic',
  broadcast: 'one to 500',
}

export const rate = (n: number) =>
  n >= 1e6
    ? `${(n / 1e6).toFixed(2)}M`
    : n >= 1e4
      ? `${(n / 1e3).toFixed(0)}k`
      : n >= 1e3
        ? `${(n / 1e3).toFixed(1)}k`
        : n.toFixed(0)
export const times = (n: number) => (n >= 10 ? n.toFixed(1) : n.toFixed(2))
export const whole = (n: number) => Math.round(n).toLocaleString('en')
const spread = ({ median, low, high, n }: Spread, text: (n: number) => string) =>
  n > 1 ? `${text(median)} [${text(low)}–${text(high)}]` : text(median)
const textOf = (unit: Row['unit']) =>
  unit === '×' ? (n: number) => `×${times(n)}` : (n: number) => `${whole(n)}${unit && ` ${unit}`}`

export const markdown = (head: readonly string[], lines: readonly (readonly string[])[]) =>
  [head, head.map((_, i) => (i ? '--:' : '---')), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const rank = (name: string) => contenders.findIndex((contender) => contender.name === name)

/** The table of targets. */
const targets = (rows: readonly Row[]) => {
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))]
    .filter((name) => name !== 'pairwire' && name !== 'raw' && !name.includes(' '))
    .sort((a, b) => rank(a) - rank(b))
  return markdown(
    ['workload', 'host', 'target', 'pairwire', '', 'raw', ...names],
    rows.map((row) => {
      const { title, host, target, unit, values, raw } = row
      const text = textOf(unit)
      const met = isMet(row)
      return [
        title,
        host ? HOSTS[host] : '–',
        `${unit === '×' ? '≥' : '≤'} ${text(target)}`,
        values.pairwire ? `**${spread(values.pairwire, text)}**` : 'not measured',
        met === undefined ? '' : met ? '✓' : '✗',
        raw ? `${rate(raw)}/s` : values.raw ? text(values.raw.median) : '–',
        ...names.map((name) => (values[name] ? text(values[name].median) : '–')),
      ]
    }),
  )
}

/** What was measured on one host: first how much of it, then what it costs. */
const details = (rates: readonly Rate[], host: Host) => {
  const here = rates.filter((rate) => rate.host === host)
  const cells = Object.keys(CELLS).filter((cell) => here.some((rate) => rate.cell === cell))
  const names = [...new Set(here.map(({ contender }) => contender))]
  const grid = (cell: (rate: Rate) => string) =>
    markdown(
      ['', ...names],
      cells.map((key) => [
        CELLS[key]!,
        ...names.map((name) => {
          const found = here.find((rate) => rate.cell === key && rate.contender === name)
          return found ? cell(found) : '–'
        }),
      ]),
    )
  return [
    `### ${HOSTS[host]}`,
    'In a second, and as a ratio to raw in the same round:',
    grid(
      ({ perSecond, ratio, rich }) =>
        `${rate(perSecond.median)}${ratio ? `, ${spread(ratio, (n) => `×${times(n)}`)}` : ''}${rich === false ? ' (as plain JSON)' : ''}`,
    ),
    'Microseconds of processor for each, of client + server; for calls one after the other, the time that half and 99 % of them took:',
    grid(
      ({ client, server, p50, p99 }) =>
        `${client.toFixed(1)} + ${server.toFixed(1)}${p50 ? ` (${p50.toFixed(0)}, ${p99!.toFixed(0)})` : ''}`,
    ),
  ]
}

const bytesOf = ({ wires }: Results) =>
  markdown(
    ['bytes, with framing', 'call', 'answer', 'call of 50 at once', 'answer', 'event'],
    wires
      .filter(
        ({ host }, i) => wires.findIndex((other) => other.contender === wires[i]!.contender) === i || host === 'node',
      )
      .map(({ contender, call, answer, burstCall, burstAnswer, event }) => [
        contender,
        ...[call, answer, burstCall, burstAnswer].map((n) => n.toFixed(1)),
        event?.toFixed(1) ?? '–',
      ]),
  )

/** `results/peers.md`. */
export const tableOf = (results: Results): string => {
  const { made, mode, rounds, machine, versions, disturbed, provisional, failures } = results
  const hosts = (Object.keys(HOSTS) as Host[]).filter((host) => results.rates.some((rate) => rate.host === host))
  return `${[
    '# pairwire beside its peers',
    ...(provisional
      ? [
          '**Provisional: the machine was busy with other things. Ratios may be off by half, absolute numbers by more.**',
        ]
      : []),
    `${mode === 'full' ? 'A full' : 'A quick'} run of ${made.slice(0, 10)}: ${rounds} rounds, each with fresh processes; within a workload one contender directly after the other. Medians [lowest–highest]. ${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}. In ${disturbed.cells} of ${disturbed.of} measurements other processes used more than a quarter of a core.`,
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    'pairwire runs as users have it: zod on every input and output, limits, flow control, sessions. Raw is a hand-written socket, one JSON message in a frame, checked by nothing; × is a ratio to it in the same round.',
    '## Targets',
    targets(rowsOf(results)),
    '## All that was measured',
    ...hosts.flatMap((host) => details(results.rates, host)),
    '### On the wire',
    bytesOf(results),
    ...(failures.length ? ['### Not measured', failures.map((failure) => `- ${failure}`).join('\n')] : []),
  ].join('\n\n')}\n`
}

/** The table of targets for a terminal. */
export const printed = (results: Results): string => {
  const lines = rowsOf(results).map((row) => {
    const text = textOf(row.unit)
    const met = isMet(row)
    const mine = row.values.pairwire ? spread(row.values.pairwire, text) : 'not measured'
    const others = Object.entries(row.values)
      .filter(([name]) => name !== 'pairwire' && (row.unit !== '×' || name !== 'raw'))
      .map(([name, value]) => `${name} ${text(value.median)}`)
    return [
      met === undefined ? '-' : met ? 'ok' : 'below',
      row.title + (row.host ? `, ${HOSTS[row.host]}` : ''),
      mine,
      `${row.unit === '×' ? '≥' : '≤'} ${text(row.target)}`,
      others.join(', '),
    ]
  })
  const head = ['', 'workload', 'pairwire', 'target', 'others']
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]!.length)))
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
