import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { RpcError } from '@pairwire/contract'
import { createRichCodec, richTypes } from '@pairwire/wire'
import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { createOnce, type Once } from '../once.ts'
import { durableLedger } from './durable-ledger.ts'

// One object lives through random turns: each has some calls, and ends in peace, in sleep, or in a crash, before or after
// what it wrote was stored. What must hold is written in terms of the effects that are stored, and of what callers heard.

const WINDOW = 1_000
const namespace = (env as unknown as { OBJECT: DurableObjectNamespace }).OBJECT
const codec = createRichCodec(8, richTypes)

const call = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  input: fc.constantFrom(1, 1, 1, 2),
  /** 'odd' cannot be stored; 'refused' says that it did not run. */
  end: fc.constantFrom('value', 'value', 'value', 'error', 'refused', 'odd'),
  /** What the handler awaits between its effects: nothing, what is there, that the first is stored, or what never comes. */
  awaits: fc.constantFrom('no', 'no', 'promise', 'storage', 'forever'),
  resent: fc.boolean(),
})
const turn = fc.record({
  calls: fc.array(call, { maxLength: 3 }),
  end: fc.constantFrom('peace', 'peace', 'sleep', 'crash', 'late crash'),
  /** Milliseconds until the next. */
  pass: fc.constantFrom(0, 1, WINDOW / 2, WINDOW),
})
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never

/** One time that a handler began. */
interface Run {
  readonly call: Call
  readonly began: number
  ended: number | undefined
  /** Whether its instance died before it ended. */
  cut: boolean
}

afterEach(() => {
  vi.restoreAllMocks()
})

let objects = 0

const play = async (turns: Turn[]) => {
  const name = `model ${objects++}`
  let now = 1_800_000_000_000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
  const runs: Run[] = []
  const problems: string[] = []
  const onces = new WeakMap<DurableObjectState, Once>()
  const inObject = <R>(work: (ctx: DurableObjectState, once: Once) => R | Promise<R>): Promise<R> =>
    runInDurableObject(namespace.getByName(name), (_, ctx) => {
      const once = onces.get(ctx) ?? createOnce(durableLedger(ctx, { window: WINDOW }), codec)
      onces.set(ctx, once)
      return work(ctx, once)
    }) as Promise<R>
  await inObject(({ storage }) => void storage.sql.exec('CREATE TABLE effects (run INTEGER, part TEXT)'))

  /** The parts of each run that are stored. */
  const stored = () =>
    inObject(({ storage }) => {
      const parts = new Map<number, string>()
      for (const { run, part } of storage.sql.exec('SELECT run, part FROM effects ORDER BY rowid'))
        parts.set(run as number, (parts.get(run as number) ?? '') + part)
      return parts
    })

  const start = ({ storage }: DurableObjectState, call: Call) => {
    const run: Run = { call, began: now, ended: undefined, cut: false }
    const id = runs.push(run) - 1
    const effect = (part: string) => storage.sql.exec('INSERT INTO effects VALUES (?, ?)', id, part)
    const end = () => {
      run.ended = now
      if (call.end === 'refused') {
        storage.sql.exec('DELETE FROM effects WHERE run = ?', id)
        throw new RpcError('ABORTED', 'refused', { executed: 'no' })
      }
      effect('z')
      if (call.end === 'error') throw new RpcError('ABORTED', 'error', { data: { id }, executed: 'yes' })
      return call.end === 'odd' ? { id, odd: () => {} } : { id }
    }
    effect('a')
    if (call.awaits === 'no') return end()
    if (call.awaits === 'forever') return new Promise(() => {})
    return (call.awaits === 'promise' ? Promise.resolve() : storage.sync()).then(end)
  }

  /** What a caller heard, checked against what was stored when it is known. */
  interface Told {
    readonly call: Call
    readonly asked: number
    readonly value?: any
    readonly error?: any
  }

  const isLive = (run: Run, at: number) => (run.ended ?? run.began) + WINDOW > at

  const check = ({ call, asked, value, error }: Told, parts: Map<number, string>) => {
    const same = (run: Run | undefined) => run?.call.key === call.key && run.call.input === call.input
    const id = value?.id ?? error?.data?.id
    const kept = runs.filter((run, i) => run.call.key === call.key && parts.has(i) && isLive(run, asked))
    if (id !== undefined) {
      if (!same(runs[id])) problems.push('it was told of another call')
      if (!isLive(runs[id]!, asked)) problems.push('it was told of a run long ago')
      if (parts.get(id) !== 'az') problems.push(`it was told of a run of which ${parts.get(id)} is stored`)
      if (runs[id]!.call.end !== (value ? 'value' : 'error') && runs[id]!.call.end !== 'odd')
        problems.push(`it was told of another end than ${runs[id]!.call.end}`)
    } else if (!(error instanceof RpcError)) {
      if (!runs.some((run) => same(run) && run.call.end === 'odd')) problems.push(`it failed with ${error}`)
    } else if (error.code === 'FAILED_PRECONDITION') {
      if (!runs.some((run) => run.call.key === call.key && run.call.input !== call.input))
        problems.push('the key was used with no other input')
    } else if (error.executed === 'unknown') {
      if (!kept.some((run) => run.cut || run.call.end === 'odd')) problems.push('everything was known')
    } else if (error.message !== 'refused') problems.push(`it failed with ${error.code}, ${error.executed}`)
  }

  for (const { calls, end, pass } of turns) {
    const told: Told[] = []
    const first = runs.length
    const turn = inObject(async (ctx, once) => {
      for (const call of calls) {
        const asked = now
        const hear = (what: object) => void told.push({ call, asked, ...what })
        try {
          const value = once.run(call.key, call.input, call.resent, () => start(ctx, call))
          if (value instanceof Promise)
            value.then(
              (value) => hear({ value }),
              (error) => hear({ error }),
            )
          else hear({ value })
        } catch (error) {
          hear({ error })
        }
      }
      if (end === 'crash') ctx.abort('crash')
      await ctx.storage.sync()
      await ctx.storage.sync()
      if (end === 'late crash') ctx.abort('crash')
    })
    if (end.includes('crash')) {
      await expect(turn).rejects.toThrow('crash')
    } else await turn
    if (end === 'sleep') await evictDurableObject(namespace.getByName(name))
    const parts = await stored()
    if (end !== 'peace') for (const run of runs) run.cut ||= run.ended === undefined
    if (end === 'crash') {
      // What began in the turn left nothing: it is as if it had not been.
      for (let i = first; i < runs.length; i++) if (parts.has(i)) problems.push('a part of a turn is stored')
      // Nor did its answers leave the object.
    } else for (const heard of told) check(heard, parts)
    for (const [i, run] of runs.entries()) {
      if (!parts.has(i) || i < first) continue
      if (run.call.awaits === 'no' && parts.get(i) !== 'az') problems.push('a half of a call without await is stored')
      if (runs.some((other, j) => j < i && other.call.key === run.call.key && parts.has(j) && isLive(other, run.began)))
        problems.push(`key ${run.call.key} has a second effect`)
    }
    now += pass
  }
  expect(problems).toEqual([])
}

it('gives no key a second effect within its window, and tells everybody the truth', async () => {
  await fc.assert(fc.asyncProperty(fc.array(turn, { minLength: 2, maxLength: 8 }), play), { numRuns: 100 })
}, 60_000)
