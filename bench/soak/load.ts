import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../packages/client/test/faults/random.ts'
import { isRpcError } from '../../packages/contract/src/index.ts'
import type { SoakClient } from './client.ts'
import type { Ran, Work } from './contract.ts'

export const KINDS = ['query', 'plain', 'idempotent', 'once', 'once, own key', 'upload'] as const
export type Kind = (typeof KINDS)[number]

/** How a call ended: with what its handler returned, with what it threw, or with what is known of it. */
export const ENDS = ['value', 'thrown', 'no', 'unknown', 'yes'] as const
export type End = (typeof ENDS)[number]

export interface Outcome {
  readonly kind: Kind
  readonly id: number
  readonly end: End
  /** Whether no server was replaced while the call, or another one with its key, was under way. */
  readonly calm: boolean
  /** Of a value. */
  readonly ran?: Ran
  /** What is wrong with it, whatever ran. */
  readonly wrong?: string
}

/** What all clients' calls share. */
export interface Load {
  readonly outcomes: Outcome[]
  /** How often a server began to go, and how often one was gone. */
  readonly restarts: { begun: number; over: number }
  going: boolean
  lastId: number
  /** By user: a key that the next calls share. */
  readonly keys: Map<string, Shared>
}

interface Shared {
  readonly key: string
  readonly work: Work
  /** How many calls still take it. */
  left: number
  /** How many servers had begun to go, and were gone, when it was first taken. */
  readonly since: { begun: number; over: number }
}

export const createLoad = (): Load => ({
  outcomes: [],
  restarts: { begun: 0, over: 0 },
  going: true,
  lastId: 0,
  keys: new Map(),
})

/** Makes one call after the other. */
export const callOn = async (load: Load, client: SoakClient, user: string, random: Random): Promise<void> => {
  const weighted: Kind[] = KINDS.flatMap((kind) => Array(kind === 'upload' ? 1 : 3).fill(kind))
  while (load.going) {
    load.outcomes.push(await perform(load, client, user, random, random.pick(weighted)))
    await sleep(random.int(12))
  }
}

const perform = async (load: Load, client: SoakClient, user: string, random: Random, kind: Kind): Promise<Outcome> => {
  const work = { id: ++load.lastId, ms: Math.max(0, random.int(40) - 10), fails: random.int(20) === 0 }
  const shared = kind === 'once, own key' ? sharedKey(load, user, random, work) : undefined
  const { id } = shared?.work ?? work
  const since = shared?.since ?? { ...load.restarts }
  const done = (end: End, more: Partial<Outcome> = {}): Outcome => {
    const calm = since.begun === since.over && load.restarts.begun === since.begun
    return { kind, id, end, calm, ...more }
  }
  try {
    switch (kind) {
      case 'query':
      case 'plain':
      case 'idempotent':
      case 'once':
        return done('value', { ran: await client[kind](work) })
      case 'once, own key':
        return done('value', { ran: await client.once(shared!.work, { key: shared!.key }) })
      case 'upload': {
        const { chunks, bytes, sum } = noise(random)
        const ran = await client.upload(work, { stream: chunks })
        const same = ran.bytes === bytes && ran.sum === sum
        return done('value', { ran, ...(!same && { wrong: `upload ${id}: ${ran.bytes} of ${bytes} bytes arrived` }) })
      }
    }
  } catch (error) {
    if (!isRpcError(error)) return done('unknown', { wrong: `${kind} ${id}: ${error}` })
    if (error.code === 'REFUSED') return done('thrown')
    const { code, executed, message } = error
    if (code === 'UNAVAILABLE' && executed) return done(executed)
    // The stream that a handler read was cut off.
    if (kind === 'upload' && executed) return done(executed)
    return done(executed ?? 'unknown', { wrong: `${kind} ${id}: ${code}, executed ${executed}: ${message}` })
  }
}

/** Two to five calls of a user have a key together, often at once. */
const sharedKey = ({ keys, restarts }: Load, user: string, random: Random, work: Work): Shared => {
  const known = keys.get(user)
  const shared = known?.left ? known : { key: `${work.id}`, work, left: 2 + random.int(4), since: { ...restarts } }
  shared.left--
  keys.set(user, shared)
  return shared
}

const noise = (random: Random) => {
  const chunks = Array.from({ length: 1 + random.int(8) }, () => new Uint8Array(1 + random.int(500)))
  let bytes = 0
  let sum = 0
  for (const chunk of chunks) {
    chunk.fill(random.int(256))
    bytes += chunk.length
    sum += chunk.length * (chunk[0] ?? 0)
  }
  return { chunks, bytes, sum }
}
