import { ENDS, type End, KINDS, type Kind, type Outcome } from './load.ts'

/** What became of the calls of one kind. */
export interface Row {
  readonly kind: Kind
  calls: number
  readonly ends: Record<End, number>
  /** Runs of all calls together. */
  runs: number
  /** Runs of the call that had the most. */
  most: number
}

export interface Judgement {
  readonly rows: Row[]
  /** Calls whose runs, or results, are not what their outcome says. */
  readonly disagreements: string[]
  /** Calls that ran twice and must not. */
  readonly doubled: string[]
  /** Calls of which nobody knew what became, though the server that had them was there all the time. */
  readonly forgotten: string[]
  readonly wrong: string[]
}

const RUNS_AGAIN: ReadonlySet<Kind> = new Set(['query', 'idempotent'])

/** Holds how calls ended against how often they ran. */
export const judge = (outcomes: readonly Outcome[], runs: ReadonlyMap<number, number>): Judgement => {
  const ends = () => Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>
  const rows = new Map(KINDS.map((kind) => [kind, { kind, calls: 0, ends: ends(), runs: 0, most: 0 }]))
  const judgement: Judgement = { rows: [...rows.values()], disagreements: [], doubled: [], forgotten: [], wrong: [] }
  const stamps = new Map<number, number>()
  const seen = new Set<number>()

  for (const { kind, id, end, calm, ran, wrong } of outcomes) {
    const ranTimes = runs.get(id) ?? 0
    const said = `${kind} ${id} → ${end}${ran ? ` of run ${ran.run}` : ''}, and ${ranTimes} runs`
    const row = rows.get(kind)!
    row.calls++
    row.ends[end]++
    // Calls with one key have their runs together.
    if (!seen.has(id)) {
      row.runs += ranTimes
      row.most = Math.max(row.most, ranTimes)
      if (ranTimes > 1 && !RUNS_AGAIN.has(kind)) judgement.doubled.push(said)
      seen.add(id)
    }
    if (wrong) judgement.wrong.push(wrong)
    if (end === 'no' ? ranTimes > 0 : end !== 'unknown' && ranTimes === 0) judgement.disagreements.push(said)
    if (ran && ran.run > ranTimes) judgement.disagreements.push(said)
    if (ran && !RUNS_AGAIN.has(kind)) {
      if (stamps.has(id) && stamps.get(id) !== ran.stamp) judgement.disagreements.push(`${said}: results differ`)
      stamps.set(id, ran.stamp)
    }
    // What runs again always has an outcome; an upload's stream is gone with its socket.
    const isKnown = end === 'value' || end === 'thrown'
    if (!isKnown && kind !== 'upload' && (calm || RUNS_AGAIN.has(kind))) judgement.forgotten.push(said)
  }
  return judgement
}
