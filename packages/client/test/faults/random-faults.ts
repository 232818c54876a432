import type { Action, Direction, Fault, Position } from './fault.ts'
import type { Random } from './random.ts'

/** Half of all faults are cuts: every other one only matters for how a client finds out, or whether. */
const weights: ReadonlyArray<[Action['action'], number]> = [
  ['cut', 50],
  ['hold', 14],
  ['slow', 6],
  ['half', 6],
  ['black-hole', 6],
  ['close', 6],
  ['abandon', 6],
  ['duplicate-connect', 6],
]

/** Those after which the connection still works, so that a second fault has something to act on. */
const survivable: ReadonlySet<Action['action']> = new Set(['hold', 'slow', 'duplicate-connect'])

const randomName = (random: Random): Action['action'] => {
  let left = random.int(weights.reduce((sum, [, weight]) => sum + weight, 0))
  for (const [name, weight] of weights) {
    if (left < weight) return name
    left -= weight
  }
  return 'cut'
}

const randomAction = (random: Random): Action => {
  const action = randomName(random)
  switch (action) {
    case 'hold':
      return { action, ms: 1 + random.int(80) }
    case 'slow':
      return { action, bytesPerSecond: 2_000 + random.int(50_000) }
    case 'close':
      return { action, code: random.pick([1000, 1001, 1011, 1012, 1013, 4000]), reason: 'fault' }
    case 'cut':
    case 'abandon':
      return { action, reset: random.next() < 0.5 }
    default:
      return { action }
  }
}

/** The square crowds the draws to the low end: handshakes and resumptions happen in the first few frames. */
const early = (random: Random, n: number): number => Math.floor(random.next() ** 2 * n)

const randomPosition = (random: Random): Position => {
  const kind = random.pick(['before', 'after', 'after', 'byte'] as const)
  if (kind === 'byte') return { byte: early(random, 2_000) }
  return kind === 'before' ? { before: 1 + early(random, 20) } : { after: 1 + early(random, 20) }
}

/** A plan for one connection: one connection in ten has no fault, and most have one. */
export const randomFaults = (random: Random): Fault[] => {
  if (random.next() < 0.1) return []
  const faults: Fault[] = []
  do {
    const at: Direction = random.pick(['up', 'down'])
    faults.push({ at, ...randomPosition(random), ...randomAction(random) })
  } while (survivable.has(faults.at(-1)!.action) && faults.length < 3)
  return faults
}
