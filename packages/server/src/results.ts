import { type Line, type Memory, type Packed, PING } from '@pairwire/wire'

/** What is remembered of one session's mutations. */
export interface Results extends Memory {
  /** How many results are kept. */
  readonly size: number
  /** What they take, in bytes. */
  readonly bytes: number
  /**
   * The client says that this is its only line, ahead of what it sends again. So it answers when it has sent that: what it has
   * not asked for until then, it has, or does not want.
   */
  resume(line: Line): void
  /** Says of those kept since before this process that they were sent on this line, but for these. */
  adopt(line: Line, elsewhere: ReadonlySet<number>): void
  /** What the ping under way on this line asks about; another object each time. */
  asked(line: Line): Asked | undefined
  /** Such a ping is under way since before this process: the next pong on this line answers that. */
  await(line: Line, asked: Asked): void
  /** Nobody will ever know how these calls end. */
  lose(ids: Iterable<number>): void
  /** Nobody will ask any more. */
  clear(): void
  /** Grows with each change. */
  readonly version: number
  /** All that is kept, by the ids of the calls; what `createResults` can be given to go on from. */
  readonly kept: ReadonlyMap<number, Kept>
  readonly forgotten: number
  readonly lost: ReadonlySet<number>
}

/** What a ping asks about: results sent on its line, or with `resumed` those that were not. */
export interface Asked {
  readonly ids: ReadonlySet<number>
  readonly resumed: boolean
  /** How many pings before it have no answer yet. */
  readonly before: number
}

/** What results go on from, after they were written down. */
export type KeptResults = Pick<Results, 'epoch' | 'kept' | 'forgotten' | 'lost'>

/** Results after which the client is asked how far it has read, by a ping: what was sent before its pong has arrived. */
const ASK_AT = 32
const ASK_BYTES = 16_384
/** However small they are. */
const MAX_RESULTS = 4_096

export interface Kept {
  readonly answer: Packed
  /** Where it was sent; undefined while it was not. */
  readonly line: Line | undefined
}

/**
 * Keeps the results of mutations until their caller has them: so it can be told what became of a call whose connection was
 * lost. Beyond its bound it forgets the oldest, and knows that it did.
 *
 * @param from what it is called, and what it remembers from before
 * @param max bytes
 * @param weigh hears how many more bytes are kept, or fewer
 */
export const createResults = (
  { epoch, kept: earlier = new Map(), ...from }: Pick<KeptResults, 'epoch'> & Partial<KeptResults>,
  max: number,
  weigh: (change: number) => void = () => {},
): Results => {
  const kept = new Map(earlier)
  let bytes = 0
  let version = 0
  /** Calls up to this id may have been forgotten. */
  let forgotten = from.forgotten ?? 0
  const lost = new Set(from.lost)
  /** Of those that were sent on a line since it was last asked. */
  let fresh = new Set<number>()
  let freshBytes = 0
  for (const { answer } of kept.values()) bytes += answer.weight
  weigh(bytes)
  /** By line, the latest ping under way. Pongs come in order, and do not say what they answer. */
  const asking = new WeakMap<Line, Asked>()
  const ask = (line: Line, ids: ReadonlySet<number>, resumed: boolean) => {
    const earlier = asking.get(line)
    asking.set(line, { ids, resumed, before: earlier ? earlier.before + 1 : 0 })
    fresh = new Set()
    freshBytes = 0
    line.push(`[${PING}]`)
  }

  const remove = (id: number) => {
    const result = kept.get(id)
    if (!result) return
    version++
    kept.delete(id)
    fresh.delete(id)
    bytes -= result.answer.weight
    weigh(-result.answer.weight)
  }

  return {
    epoch,
    kept,
    lost,
    get version() {
      return version
    },
    get forgotten() {
      return forgotten
    },
    get size() {
      return kept.size
    },
    get bytes() {
      return bytes
    },
    adopt(line, elsewhere) {
      for (const [id, { answer }] of kept) {
        if (elsewhere.has(id)) continue
        kept.set(id, { answer, line })
        if (asking.get(line)?.ids.has(id)) continue
        fresh.add(id)
        freshBytes += answer.weight
      }
    },
    asked: (line) => asking.get(line),
    await: (line, asked) => void asking.set(line, asked),
    forgot: (id) => id <= forgotten || lost.has(id),
    clear() {
      for (const id of kept.keys()) remove(id)
    },
    lose(ids) {
      for (const id of ids) lost.add(id)
      version++
    },
    recall: (id) => kept.get(id)?.answer,
    keep(id, answer, line) {
      remove(id)
      version++
      kept.set(id, { answer, line })
      bytes += answer.weight
      weigh(answer.weight)
      if (bytes > max || kept.size > MAX_RESULTS)
        for (const oldest of kept.keys()) {
          if (bytes <= max && kept.size <= MAX_RESULTS) break
          forgotten = Math.max(forgotten, oldest)
          remove(oldest)
        }
      if (!line) return
      fresh.add(id)
      freshBytes += answer.weight
      if (!asking.has(line) && (fresh.size >= ASK_AT || freshBytes >= ASK_BYTES)) ask(line, fresh, false)
    },
    resume(line) {
      if (kept.size) ask(line, new Set(kept.keys()), true)
    },
    confirm(line) {
      const asked = asking.get(line)
      if (!asked) return
      if (asked.before) return void asking.set(line, { ...asked, before: asked.before - 1 })
      for (const id of asked.ids) {
        if (!kept.has(id) || (kept.get(id)!.line === line) === asked.resumed) continue
        remove(id)
        // Should it be asked for after all, it must not look as if it had never come.
        if (asked.resumed) forgotten = Math.max(forgotten, id)
      }
      asking.delete(line)
    },
  }
}
