import fc from 'fast-check'
import { afterEach, it } from 'vitest'
import { createRandom } from '../test/faults/random.ts'
import { breathe, Clock, isNode } from '../test/model/clock.ts'
import { examples } from '../test/model/examples.ts'
import { memoryStage } from '../test/model/memory-stage.ts'
import { play } from '../test/model/play.ts'
import { moves, type Program, program } from '../test/model/program.ts'
import { broken } from '../test/model/promises.ts'
import { search } from '../test/model/search.ts'

let clock: Clock | undefined
afterEach(() => clock?.uninstall())

/** Plays in virtual time, and says which promises it broke. */
const problemsOf = async (program: Program): Promise<string[]> => {
  await breathe()
  const own = new Clock()
  clock = own
  own.install(createRandom(program.seed).next)
  try {
    const played = await play(program, (world) => memoryStage(own, program, world))
    return broken(played, { slack: 0 })
  } finally {
    own.uninstall()
  }
}

const hold = (programs: fc.Arbitrary<Program>, runs: number) =>
  fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const problems = await problemsOf(program)
      if (problems.length) throw new Error(problems.join('\n'))
    }),
    { ...search(runs), examples },
  )
const timeout = 3_600_000

it('keeps every promise of every call, whatever happens to the connection', { timeout }, () =>
  hold(program(), isNode ? 3_000 : 300),
)

it('keeps them while it moves from socket to socket', { timeout }, () => hold(moves(), isNode ? 3_000 : 300))
