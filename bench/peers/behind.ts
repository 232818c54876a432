import { isLess, type Row } from './rows.ts'

const NOTHING_TO_SHARE =
  'frames cost, not calls, and here a frame has one call. What is left is what a bare socket does not do: zod on input and output, a deadline, limits, the session'

/** Why somebody else is ahead, where somebody is: what the documentation says. By the row's key. */
const REASONS: Readonly<Record<string, string>> = {
  sequential: NOTHING_TO_SHARE,
  in2: `${NOTHING_TO_SHARE}. Two calls share a frame only if they begin in the same turn`,
  in10: 'ten answers at most share a frame; on Node, writing one is so cheap that this hardly pays for the checks',
  broadcast:
    'one event for each socket: nothing shares a frame. It is encoded once for all, and then passes the flow control of each connection',
  order:
    'the raw socket and birpc send plain JSON here, with dates as texts and without maps. pairwire walks the value and marks 81 places, and both ends have twice as much to parse',
  bytes: 'the bytes share a binary frame with the text of their call, and are copied into it and out of it',
  'heap, connection': 'a session: what resuming, limits and flow control have to remember of a client',
  'heap, topic':
    'a bare socket keeps a function in a set. A subscription knows its place in the topic, how much its reader takes, and how to end',
  'heap, generator': 'a generator, its iterator and what waits for it, beside all that a subscription is',
  size: 'reconnecting, resuming, flow control, deadlines, uploads and rich values are in it. The raw socket here reconnects never, and has superjson',
}

export interface Behind {
  row: Row
  /** Who is ahead, the first of them first. */
  ahead: [name: string, median: number][]
  reason: string
}

/**
 * The rows in which pairwire is not first.
 * @throws where nobody has said why
 */
export const behindOf = (rows: readonly Row[]): Behind[] =>
  rows.flatMap((row) => {
    const mine = row.values.pairwire?.median
    if (mine === undefined) return []
    const ahead = Object.entries(row.values)
      .map(([name, { median }]): [string, number] => [name, median])
      .filter(([, median]) => (isLess(row) ? median < mine : median > mine))
      .sort(([, a], [, b]) => (isLess(row) ? a - b : b - a))
    if (!ahead.length) return []
    const reason = REASONS[row.key]
    if (!reason) throw new Error(`bench/peers/behind.ts does not say why pairwire is not first in '${row.key}'`)
    return [{ row, ahead, reason }]
  })
