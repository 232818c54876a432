import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Stage } from '../test/model/play.ts'
import { play } from '../test/model/play.ts'
import { type Program, program } from '../test/model/program.ts'
import { broken } from '../test/model/promises.ts'
import { replay } from '../test/model/search.ts'
import { socketStage } from '../test/model/socket-stage.ts'

// The programs of model.test.ts, on sockets. Time is real here: a program that fails may hold the next time. It is printed with
// its seed and number: MODEL_SEED=… MODEL_PATH=… plays that one alone.

const AT_ONCE = 24
/** How late a timer of a busy machine may be. */
const SLACK = 1_500

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))

const problemsOf = async (program: Program): Promise<string[]> => {
  let stage: Stage | undefined
  try {
    const played = await play(program, async (world) => {
      stage = await socketStage(program, world)
      return stage
    })
    return broken(played, { slack: SLACK })
  } finally {
    await stage?.close()
  }
}

it('keeps every promise on real sockets, whatever happens to them', { timeout: 3_600_000 }, async () => {
  const { seed, path, runs } = replay(250)
  const programs = fc.sample(program(8), { seed, numRuns: runs })
  const problems: string[] = []
  let next = path ?? 0
  const work = async () => {
    for (let index = next++; index < (path === undefined ? runs : path + 1); index = next++) {
      for (const problem of await problemsOf(programs[index]!))
        problems.push(`MODEL_SEED=${seed} MODEL_PATH=${index}: ${problem}: ${JSON.stringify(programs[index])}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  expect(problems).toEqual([])
  expect(stray).toEqual([])
})
