import { type Line, type Memory, type Packed, PING } from '@pairwire/wire'

/** What a ping asks about: results sent on its line, or with `resumed` those that were not. */
export interface Asked {
  readonly ids: ReadonlySet<number>
  readonly resumed: boolean
  /** How many pings before it have no answer yet. */
  readonly before: number
}

export interface Kept {
  readonly answer: Packed
  /** Where it was sent; undefined while it was not. */
  readonly line: Line | undefined
}

/** What results go on from, after they were written down. */
export type KeptResults = Pick<Results, 'epoch' | 'kept' | 'forgotten' | 'lost'>

/** Hears how many more bytes are kept, or fewer. */
export interface Scales {
  weigh(change: number): void
}

/** Results after which the client is asked how far it has read, by a ping: what was sent before its pong has arrived. */
const ASK_AT = 32
const ASK_BYTES = 16_384
/** However small they are. */
const MAX_RESULTS = 4_096

const NONE: ReadonlyMap<number, Kept> = /* @__PURE__ */ new Map()
const NOBODY: ReadonlySet<number> = /* @__PURE__ */ new Set()

/**
 * Keeps the results of a session's mutations until their caller has them: so it can be told what became of a call whose
 * connection was lost. Beyond its bound it forgets the oldest, and knows that it did.
 */
export class Results implements Memory {
  readonly epoch: string
  /** Grows with each change. */
  version = 0
  /** What is kept takes so many bytes. */
  bytes = 0
  /** Calls up to this id may have been forgotten. */
  forgotten: number
  readonly #max: number
  readonly #scales: Scales | undefined
  // What most connections never need is made when it is first used.
  #kept: Map<number, Kept> | undefined
  #lost: Set<number> | undefined
  /** Of those that were sent on a line since it was last asked. */
  #fresh: Set<number> | undefined
  #freshBytes = 0
  /** By line, the latest ping under way. Pongs come in order, and do not say what they answer. */
  #asking: WeakMap<Line, Asked> | undefined

  /**
   * @param from what it is called, and what it remembers from before
   * @param max bytes
   */
  constructor(from: Pick<KeptResults, 'epoch'> & Partial<KeptResults>, max: number, scales?: Scales) {
    this.epoch = from.epoch
    this.forgotten = from.forgotten ?? 0
    this.#max = max
    this.#scales = scales
    if (from.lost?.size) this.#lost = new Set(from.lost)
    if (!from.kept?.size) return
    this.#kept = new Map(from.kept)
    for (const { answer } of this.#kept.values()) this.bytes += answer.weight
    scales?.weigh(this.bytes)
  }

  /** How many results are kept. */
  get size(): number {
    return this.#kept?.size ?? 0
  }

  /** All that is kept, by the ids of the calls; what `Results` can be made of to go on from. */
  get kept(): ReadonlyMap<number, Kept> {
    return this.#kept ?? NONE
  }

  get lost(): ReadonlySet<number> {
    return this.#lost ?? NOBODY
  }

  forgot(id: number): boolean {
    return id <= this.forgotten || this.lost.has(id)
  }

  recall(id: number): Packed | undefined {
    return this.#kept?.get(id)?.answer
  }

  keep(id: number, answer: Packed, line: Line | undefined): void {
    this.#remove(id)
    this.version++
    this.#kept ??= new Map()
    const kept = this.#kept
    kept.set(id, { answer, line })
    this.#weigh(answer.weight)
    if (this.bytes > this.#max || kept.size > MAX_RESULTS)
      for (const oldest of kept.keys()) {
        if (this.bytes <= this.#max && kept.size <= MAX_RESULTS) break
        this.forgotten = Math.max(this.forgotten, oldest)
        this.#remove(oldest)
      }
    if (!line) return
    const fresh = this.#refresh(id, answer)
    if (!this.asked(line) && (fresh.size >= ASK_AT || this.#freshBytes >= ASK_BYTES)) this.#ask(line, fresh, false)
  }

  confirm(line: Line): void {
    const asked = this.asked(line)
    if (!asked) return
    if (asked.before) return void this.await(line, { ...asked, before: asked.before - 1 })
    for (const id of asked.ids) {
      const kept = this.#kept?.get(id)
      if (!kept || (kept.line === line) === asked.resumed) continue
      this.#remove(id)
      // Should it be asked for after all, it must not look as if it had never come.
      if (asked.resumed) this.forgotten = Math.max(this.forgotten, id)
    }
    this.#asking!.delete(line)
  }

  /**
   * The client says that this is its only line, ahead of what it sends again. So it answers when it has sent that: what it has
   * not asked for until then, it has, or does not want.
   */
  resume(line: Line): void {
    if (this.#kept?.size) this.#ask(line, new Set(this.#kept.keys()), true)
  }

  /** Says of those kept since before this process that they were sent on this line, but for these. */
  adopt(line: Line, elsewhere: ReadonlySet<number>): void {
    for (const [id, { answer }] of this.kept) {
      if (elsewhere.has(id)) continue
      this.#kept!.set(id, { answer, line })
      if (!this.asked(line)?.ids.has(id)) this.#refresh(id, answer)
    }
  }

  /** What the ping under way on this line asks about; another object each time. */
  asked(line: Line): Asked | undefined {
    return this.#asking?.get(line)
  }

  /** Such a ping is under way since before this process: the next pong on this line answers that. */
  await(line: Line, asked: Asked): void {
    this.#asking ??= new WeakMap()
    this.#asking.set(line, asked)
  }

  /** Nobody will ever know how these calls end. */
  lose(ids: Iterable<number>): void {
    for (const id of ids) {
      this.#lost ??= new Set()
      this.#lost.add(id)
    }
    this.version++
  }

  /** Nobody will ask any more. */
  clear(): void {
    for (const id of this.kept.keys()) this.#remove(id)
  }

  #refresh(id: number, { weight }: Packed): Set<number> {
    this.#fresh ??= new Set()
    this.#freshBytes += weight
    return this.#fresh.add(id)
  }

  #ask(line: Line, ids: ReadonlySet<number>, resumed: boolean): void {
    const earlier = this.asked(line)
    this.await(line, { ids, resumed, before: earlier ? earlier.before + 1 : 0 })
    this.#fresh = undefined
    this.#freshBytes = 0
    line.push(`[${PING}]`)
  }

  #remove(id: number): void {
    const result = this.#kept?.get(id)
    if (!result) return
    this.version++
    this.#kept!.delete(id)
    this.#fresh?.delete(id)
    this.#weigh(-result.answer.weight)
  }

  #weigh(change: number): void {
    this.bytes += change
    this.#scales?.weigh(change)
  }
}
