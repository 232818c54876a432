import { table } from '../soak/table.ts'
import type { Broadcast } from './broadcast.ts'
import type { Cost } from './costs.ts'
import type { Idle } from './idle.ts'
import type { Spread } from './samples.ts'
import type { Wake } from './wake.ts'

export interface Report {
  readonly machine: string
  readonly versions: string
  readonly rounds: number
  readonly wake: readonly Wake[]
  readonly broadcast: readonly Broadcast[]
  readonly costs: readonly Cost[]
  readonly idle: Idle
}

interface Section {
  readonly title: string
  readonly text: string
  readonly rows: readonly (readonly string[])[]
}

const ms = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0))
const spread = ({ median, low, high }: Spread) => `${ms(median)} (${ms(low)}–${ms(high)})`
const times = (a: Spread, b: Spread) => `×${(a.median / b.median).toFixed(1)}`
const count = (n: number) => n.toLocaleString('en', { maximumFractionDigits: 3 })

const sectionsOf = ({ wake, broadcast, costs, idle, rounds }: Report): Section[] => [
  {
    title: 'Waking up',
    text: `Milliseconds, median of ${rounds} (quarter to three quarters). First call: from a frame to a sleeping object to its answer. First event: from another Worker's call, which publishes, until all have the event. Inside: from the constructor until subscriptions run again, and until all is written down, on average. Bare: an object that echoes, or writes one row and sends to all.`,
    rows: [
      [
        'subscriptions',
        'sockets',
        'first call',
        'bare',
        'ratio',
        'call, awake',
        'bare',
        'first event',
        'bare',
        'ratio',
        'inside',
        'rows read',
      ],
      ...wake.map(({ sockets, subscriptions, ask, tell, inside, rowsRead }) => [
        count(sockets * subscriptions),
        count(sockets),
        spread(ask.room),
        spread(ask.bare),
        times(ask.room, ask.bare),
        spread(ask.roomAwake),
        spread(ask.bareAwake),
        spread(tell.room),
        spread(tell.bare),
        times(tell.room, tell.bare),
        `${ms(inside.restored)} / ${ms(inside.settled)}`,
        count(rowsRead),
      ]),
    ],
  },
  {
    title: 'One event for all',
    text: "Milliseconds from another Worker's call until the last socket has it. With a row: a loop over getWebSockets() after one row was written, as a topic does; bare: the loop alone.",
    rows: [
      ['sockets', 'object', 'topic', 'loop, with a row', 'ratio', 'loop, bare', 'ratio'],
      ...broadcast.map(({ sockets, state, room, bare, loop }) => [
        count(sockets),
        state,
        spread(room),
        spread(bare),
        times(room, bare),
        spread(loop),
        times(room, loop),
      ]),
    ],
  },
  {
    title: 'What is counted',
    text: 'On average. Frames in are those that Cloudflare bills (20 for the price of one request); frames out are free, and so are attachments.',
    rows: [
      ['', 'rows written', 'rows read', 'frames in', 'frames out', 'attachments'],
      ...costs.map(({ what, ...c }) => [
        what,
        ...[c.rowsWritten, c.rowsRead, c.framesIn, c.framesOut, c.attachments].map(count),
      ]),
    ],
  },
  {
    title: 'Nothing to do',
    text: `${idle.clients} clients with a subscription each, ${idle.seconds} seconds.`,
    rows: [
      ['pings', 'pongs', 'frames to the object', 'woken', 'woken by the event after'],
      [idle.pings, idle.pongs, idle.framesIn, idle.lives, idle.livesAfter].map(count),
    ],
  },
]

export const print = (report: Report): string =>
  [
    `${report.machine}; ${report.versions}`,
    ...sectionsOf(report).map(({ title, text, rows }) => `${title}\n${text}\n\n${table(rows)}`),
  ].join('\n\n')

export const markdown = (report: Report): string =>
  `# What Durable Objects cost\n\nMade by \`npm run bench:durable\`: ${report.machine}; ${report.versions}.\n${sectionsOf(
    report,
  )
    .map(({ title, text, rows: [head, ...rows] }) => {
      const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
      return `\n## ${title}\n\n${text}\n\n${[line(head!), `|${head!.map((_, at) => (at ? '--:' : '---')).join('|')}|`, ...rows.map(line)].join('\n')}\n`
    })
    .join('')}`
