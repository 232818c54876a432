import { ENDS } from './load.ts'
import type { Result } from './run.ts'
import { table } from './table.ts'

/** Growth that is no leak: compiled code, and what the allocator keeps. */
const GROWTH = 16_000_000

/** One thing that has to hold, and what was found where it does not. */
export interface Check {
  readonly promise: string
  readonly found: unknown[]
}

const none = (promise: string, found: unknown[]): Check => ({ promise, found })
const zero = (promise: string, ...counts: number[]): Check => ({ promise, found: counts.filter((n) => n !== 0) })
const so = (promise: string, holds: boolean, found: unknown): Check => ({ promise, found: holds ? [] : [found] })

export const checksOf = (result: Result, wanted: number): Check[] => {
  const { readings, held, memory, cuts, ended } = result
  const grown = Math.max(memory.after.clients - memory.before.clients, memory.after.servers - memory.before.servers)
  return [
    so(`${wanted.toLocaleString('en')} connections are cut`, cuts >= wanted, cuts),
    zero('every call has an outcome', result.stuck),
    none('no call ends with an error that nobody promised', result.wrong),
    none('outcomes and runs agree', result.disagreements),
    none('nothing runs twice that may not', result.doubled),
    none('while its server lives no outcome is unknown; what may run again always has one', result.forgotten),
    zero('every reader reads to the end', result.behind),
    none('no subscription fails', readings.problems),
    zero('no event is lost', readings.lost),
    zero('no event comes twice', readings.doubled),
    zero('no gap is told where there is none', readings.falseGaps),
    zero('no call is left at a client', result.pending),
    zero('nothing is held at a server', ...Object.values(held)),
    none('no timer or socket is left', result.handles),
    so('the server ends by itself', ended === 0, ended),
    none('nothing fails unseen', result.hidden),
    so('memory is given back', grown < GROWTH, memory),
  ]
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)

export const describe = (result: Result): string => {
  const { rows, readings, published, held, memory, cuts, took, sockets, restarts } = result
  const { before, after } = memory
  const [rate, seconds] = [(cuts / took) * 1_000, took / 1_000].map(Math.round)
  return `
${cuts.toLocaleString('en')} cuts in ${seconds} s, ${rate} a second; ${sockets.toLocaleString('en')} connections, also those that met no server; ${restarts} servers replaced

${table([
  ['calls', 'all', ...ENDS, 'runs', 'most runs'],
  ...rows.map(({ kind, calls, ends, runs, most }) => [kind, calls, ...ENDS.map((end) => ends[end]), runs, most]),
])}

${table([
  ['events', 'delivered', 'lost', 'doubled', 'gaps told', 'where none is'],
  [
    'all readers',
    readings.tracked + readings.untracked,
    readings.lost,
    readings.doubled,
    readings.gaps,
    readings.falseGaps,
  ],
])}
of a topic with ${published.toLocaleString('en')} events, and of subscriptions without ids

${table([
  ['held at the end', ...Object.keys(held), 'pending', 'handles'],
  ['', ...Object.values(held), result.pending, result.handles.length],
])}

${table([
  ['memory', 'before', 'after'],
  ['clients, MB', megabytes(before.clients), megabytes(after.clients)],
  ['servers, MB', megabytes(before.servers), megabytes(after.servers)],
])}
`
}
