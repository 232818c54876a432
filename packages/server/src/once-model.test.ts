import { RpcError } from '@pairwire/contract'
import { createRichCodec, richTypes } from '@pairwire/wire'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { CallLedger } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'
import { createOnce, type Once } from './once.ts'

// Two processes share a ledger: calls come in any order, the ledger takes its time and fails, processes die, time passes.
// What must hold is written in terms of what the handlers saw and what the callers were told, and of nothing between.

const WINDOW = 1_000
const codec = createRichCodec(8, richTypes)

const call = fc.record({
  type: fc.constant('call' as const),
  process: fc.nat(1),
  key: fc.constantFrom('a', 'b'),
  input: fc.constantFrom(1, 2),
  resent: fc.boolean(),
  /** What the handler does: 'odd' cannot be stored. */
  end: fc.constantFrom('value', 'value', 'value', 'error', 'refused', 'odd'),
  waits: fc.boolean(),
})
const crash = fc.record({ type: fc.constant('crash' as const), process: fc.nat(1) })
const pass = fc.record({ type: fc.constant('pass' as const), time: fc.constantFrom(1, WINDOW / 2, WINDOW) })
const setting = fc.record({
  commands: fc.array(
    fc.oneof({ weight: 10, arbitrary: call }, { weight: 1, arbitrary: crash }, { weight: 2, arbitrary: pass }),
    { minLength: 2, maxLength: 14 },
  ),
  /** What becomes of each step of the ledger, in turn: it works, fails before it did anything, or after. */
  faults: fc.oneof(
    fc.constant([]),
    fc.array(fc.constantFrom('none', 'none', 'none', 'none', 'before', 'after'), { maxLength: 30 }),
  ),
  durable: fc.boolean(),
  waits: fc.boolean(),
})
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never

/** One time that a handler ran. */
interface Run {
  readonly id: number
  readonly call: Call
  /** When it was given back, counted in calls asked. */
  released: number | undefined
  /** When its outcome was stored, in milliseconds. */
  settled: number | undefined
}

/** When a call was asked, or the one that it joins: milliseconds, and how many calls were asked before. */
interface Since {
  readonly time: number
  readonly asked: number
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const forever = () => new Promise<never>(() => {})

const play = async ({ commands, faults, durable, waits }: Setting, scheduler: fc.Scheduler) => {
  const memory = memoryLedger({ window: WINDOW })
  const runs: Run[] = []
  const calls: Call[] = []
  const problems: string[] = []
  let [crashed, failed, steps] = [0, 0, 0]
  const lastRun = (key: string) => runs.filter((run) => run.call.key === key).at(-1)

  const pause = async (alive: () => boolean) => {
    await scheduler.schedule(Promise.resolve())
    return alive() || forever()
  }

  const step = <T>(alive: () => boolean, act: () => T): any => {
    const fault = faults[steps++]
    const work = () => {
      if (fault && fault !== 'none') failed++
      if (fault === 'before') throw new Error('fault')
      const result = act()
      if (fault === 'after') throw new Error('fault')
      return result
    }
    if (!waits) return work()
    return pause(alive)
      .then(work)
      .finally(() => pause(alive))
  }

  const ledgerOf = (alive: () => boolean): CallLedger => ({
    durable,
    claim: (key, input) => step(alive, () => memory.claim(key, input)),
    settle: (key, outcome) =>
      step(alive, () => {
        memory.settle(key, outcome)
        lastRun(key)!.settled ??= performance.now()
      }),
    release: (key) =>
      step(alive, () => {
        memory.release(key)
        const run = lastRun(key)
        if (run?.call.end === 'refused') run.released ??= calls.length
      }),
  })

  const boot = () => {
    let alive = true
    const isAlive = () => alive
    return {
      once: createOnce(ledgerOf(isAlive), codec),
      isAlive,
      /** Calls under way, by key and input. */
      open: new Map<string, { since: Since; calls: number }>(),
      die() {
        alive = false
      },
    }
  }
  const processes = [boot(), boot()]

  const end = ({ id, call }: Run) => {
    if (call.end === 'value') return { id, at: new Date(id) }
    if (call.end === 'odd') return { id, odd: () => {} }
    throw new RpcError('ABORTED', `run ${id}`, { data: { id }, executed: call.end === 'refused' ? 'no' : 'yes' })
  }

  const start = (call: Call, alive: () => boolean) => {
    const now = performance.now()
    for (const { call: before, released, settled } of runs)
      if (before.key === call.key && released === undefined && !(settled !== undefined && settled + WINDOW <= now))
        problems.push(`key ${call.key} ran a second time`)
    if (call.resent && !durable) problems.push('a call ran that may have run before')
    const run: Run = { id: runs.length, call, released: undefined, settled: undefined }
    runs.push(run)
    return call.waits ? pause(alive).then(() => end(run)) : end(run)
  }

  /** Whether the run is one that this call may be told of. */
  const checkRun = (call: Call, since: Since, id: number, ends: string[]) => {
    const run = runs[id]
    if (!run) return problems.push('it was told of a run that never was')
    if (run.call.key !== call.key || run.call.input !== call.input) problems.push('it was told of another call')
    if (!ends.includes(run.call.end)) problems.push(`it was told of ${ends} by a run of ${run.call.end}`)
    if (run.call.end === 'refused' && !(run.released !== undefined && run.released >= since.asked))
      problems.push('a call that did not run was remembered')
    if (run.settled !== undefined && run.settled + WINDOW <= since.time) problems.push('it was told of a run long ago')
  }

  const checkValue = (call: Call, since: Since, value: any) => {
    checkRun(call, since, value.id, ['value'])
    if (value.at.getTime() !== value.id) problems.push('the value is another one')
  }

  const checkError = (call: Call, since: Since, error: any) => {
    const others = calls.filter((other) => other !== call && other.key === call.key)
    const odd = runs.some(({ call: { key, end } }) => key === call.key && end === 'odd')
    if (!(error instanceof RpcError)) {
      if (!failed && !odd) problems.push(`without a fault it failed with ${error}`)
    } else if (error.code === 'ABORTED') {
      const { id } = error.data as { id: number }
      checkRun(call, since, id, error.executed === 'no' ? ['refused'] : ['error'])
      if (error.message !== `run ${id}`) problems.push('the error is another one')
    } else if (error.code === 'FAILED_PRECONDITION') {
      if (error.executed !== 'no') problems.push('a refusal has to say that nothing ran')
      if (runs.some((run) => run.call === call)) problems.push('it was refused and ran')
      if (others.every(({ input }) => input === call.input)) problems.push('the key was used with no other input')
    } else if (error.code === 'UNAVAILABLE' && error.executed === 'unknown') {
      const forgotten = !durable && (call.resent || others.some(({ resent }) => resent))
      const elsewhere = others.some(({ process }) => process !== call.process)
      if (!crashed && !failed && !odd && !forgotten && !elsewhere) problems.push('everything was known')
    } else problems.push(`it failed with ${error.code}, executed: ${error.executed}`)
  }

  const ask = (once: Once, call: Call, alive: () => boolean) =>
    once.run(call.key, { n: call.input }, call.resent, () => start(call, alive))

  const execute = async (command: Setting['commands'][number]) => {
    if (command.type === 'pass') vi.advanceTimersByTime(command.time)
    else if (command.type === 'crash') {
      crashed++
      processes[command.process]!.die()
      processes[command.process] = boot()
    } else {
      const mine = processes[command.process]!
      const name = `${command.key} ${command.input}`
      const open = mine.open.get(name) ?? { since: { time: performance.now(), asked: calls.length }, calls: 0 }
      mine.open.set(name, open)
      open.calls++
      calls.push(command)
      let check: () => void
      try {
        const value = await ask(mine.once, command, mine.isAlive)
        check = () => checkValue(command, open.since, value)
      } catch (error) {
        check = () => checkError(command, open.since, error)
      }
      if (!--open.calls) mine.open.delete(name)
      check()
    }
  }

  for (const command of commands) scheduler.schedule(Promise.resolve()).then(() => execute(command))
  await scheduler.waitIdle()
  expect(problems).toEqual([])
  // Every call of a process that lives has ended, and nothing of it is kept.
  expect(processes.map(({ once, open }) => [once.size, open.size])).toEqual([
    [0, 0],
    [0, 0],
  ])
}

it('lets no key run twice within its window, and tells everybody the truth', async () => {
  await fc.assert(fc.asyncProperty(setting, fc.scheduler(), play), { numRuns: 2_000 })
})
