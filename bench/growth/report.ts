import type { describeMachine } from '../peers/machine.ts'
import { table } from '../soak/table.ts'
import { PANELS } from './chart.ts'
import { REASONS } from './reasons.ts'
import { type Judged, LINEAR, type Panel } from './series.ts'

/** What `results/growth.json` holds. */
export interface Growth {
  made: string
  rounds: number
  machine: ReturnType<typeof describeMachine>
  versions: Record<string, string>
  /** Times are in seconds. */
  series: Judged[]
}

const time = (seconds: number): string => {
  const [unit, by] = seconds < 1e-3 ? ['µs', 1e6] : seconds < 1 ? ['ms', 1e3] : (['s', 1] as const)
  const value = seconds * by
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}
const size = (n: number): string => {
  const [unit, by] = n < 1e3 ? ['B', 1] : n < 1e6 ? ['kB', 1e3] : (['MB', 1e6] as const)
  return `${Number((n / by).toPrecision(2)).toLocaleString('en')} ${unit}`
}
const power = (exponent: number) => exponent.toFixed(2).replace('-', '−')

/** What a series is called where its panel is not beside it. */
const titleOf = ({ panel, name }: Pick<Judged, 'panel' | 'name'>): string =>
  panel === 'calls'
    ? 'a call'
    : `${PANELS[panel].title.toLowerCase().replace('durable object', 'Durable Object')}: ${name}`

/** One row for each series. */
const verdicts = (series: readonly Judged[]): string[][] =>
  series.map((one) => {
    const { panel, points, exponent, linear } = one
    const [first, last] = [points[0]!, points.at(-1)!]
    const count = PANELS[panel].bytes ? size : (n: number) => n.toLocaleString('en')
    return [
      titleOf(one),
      `${PANELS[panel].x}, ${count(first.n)} … ${count(last.n)}`,
      `${time(first.cpu.median)} … ${time(last.cpu.median)}`,
      power(exponent.all),
      power(exponent.end),
      `${LINEAR[panel]}`,
      linear ? 'yes' : `**no**: ${REASONS[`${panel}, ${one.name}`] ?? 'not explained yet'}`,
    ]
  })
const VERDICT_HEAD = [
  'what',
  'grows in',
  'processor time',
  'exponent',
  'of the last ×10',
  'linear is',
  'linear or better',
]

const markdown = ([head, ...rows]: readonly (readonly string[])[], left: readonly number[] = [0]) =>
  [head!, head!.map((_, at) => (left.includes(at) ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** How each series grows, as Markdown. */
export const verdictsOf = (series: readonly Judged[]): string =>
  markdown([VERDICT_HEAD, ...verdicts(series)], [0, 1, 6])

/** All points of a panel: a row for each size. */
const pointsOf = (panel: Panel, series: readonly Judged[]) => {
  const { x, bytes } = PANELS[panel]
  const rows = series[0]!.points.map(({ n }, i) => [
    bytes ? size(n) : n.toLocaleString('en'),
    ...series.flatMap(({ points }) => {
      const point = points[i]
      if (!point) return ['–', '–']
      const { cpu, wall } = point
      return [`${time(cpu.median)} [${time(cpu.low)}–${time(cpu.high)}]`, time(wall.median)]
    }),
  ])
  const heads = series.flatMap(({ name }) => [panel === 'calls' ? 'processor' : name, 'on the clock'])
  return markdown([[x, ...heads], ...rows], [])
}

/** `results/growth.md`. */
export const markdownOf = ({ made, rounds, machine, versions, series }: Growth): string => {
  const panels = (Object.keys(PANELS) as Panel[]).filter((panel) => series.some((one) => one.panel === panel))
  const { processor, cores, system, node } = machine
  return `${[
    '# What it costs, the more there is of it',
    `Made by \`npm run bench:growth\` on ${made.slice(0, 10)}: ${processor}, ${cores} cores, ${system}, Node ${node}; ${Object.entries(
      versions,
    )
      .map(([name, version]) => `${name} ${version}`)
      .join(
        ', ',
      )}. Medians of ${rounds} [lowest–highest]; with a socket for each subscription of ${Math.min(3, rounds)}, of waking up of ${2 * rounds}.`,
    'A cost of n^exponent is linear at 1, and a call that does not get dearer by those beside it has 0. Beside the exponent of the whole curve stands that of its last factor of ten, where what each costs at least hides nothing.',
    verdictsOf(series),
    ...panels.flatMap((panel) => [
      `## ${PANELS[panel].title}`,
      pointsOf(
        panel,
        series.filter((one) => one.panel === panel),
      ),
    ]),
  ].join('\n\n')}\n`
}

/** For a terminal. */
export const print = ({ series }: Growth): string =>
  table([VERDICT_HEAD, ...verdicts(series)].map((row) => row.map((cell) => cell.replaceAll('**', ''))))
