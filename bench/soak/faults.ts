import type { Fault, FaultProxy, LogEntry, Plan, Position } from '../../packages/client/test/faults/proxy.ts'
import { createRandom, type Random } from '../../packages/client/test/faults/random.ts'

/** What ends a connection, as often as it stands here. Where it only falls silent, the client has to find out by itself. */
const ENDS = [
  ...Array<'cut'>(40).fill('cut'),
  ...Array<'close'>(4).fill('close'),
  ...Array<'abandon'>(3).fill('abandon'),
  'half',
  'black-hole',
] as const

/** Half of them in the first few frames, where connections are resumed. */
const position = (random: Random): Position => {
  const reach = random.next() < 0.5 ? 4 : 40
  switch (random.int(3)) {
    case 0:
      return { before: 1 + random.int(reach) }
    case 1:
      return { after: random.int(reach) }
    default:
      return { byte: random.int(reach * 150) }
  }
}

const end = (random: Random): Fault => {
  const action = random.pick(ENDS)
  // What the client says may be lost for good while it goes on to hear the server; then no sign of life is missing.
  const at = action === 'half' ? 'down' : random.pick(['up', 'down'] as const)
  const where = { at, ...position(random) }
  if (action === 'close')
    return { ...where, action, code: random.pick([1001, 1011, 1012, 1013, 4200]), reason: 'fault' }
  return { ...where, action } as Fault
}

/** Every connection ends by a fault, and one in eight is held up before. */
export const planOf =
  (seed: number): Plan =>
  ({ index }) => {
    const random = createRandom(seed + Math.imul(index, 0x85ebca6b))
    const faults = [end(random)]
    if (random.int(8) === 0) {
      const at = random.pick(['up', 'down'] as const)
      faults.unshift({ at, after: random.int(3), action: 'hold', ms: 1 + random.int(40) })
    }
    return faults
  }

const isCut = ({ what }: LogEntry) => /^cut by|^fault .*"action":"(close|abandon|half|black-hole)"/.test(what)

/** Counts connections that were cut, and empties the proxy's log on the way. */
export const countCuts = ({ log }: FaultProxy): (() => number) => {
  const cut = new Set<number>()
  return () => {
    for (const entry of log.splice(0)) if (isCut(entry)) cut.add(entry.connection!)
    return cut.size
  }
}
