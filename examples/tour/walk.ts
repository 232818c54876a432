import { styleText } from 'node:util'
import type { Step } from './step.ts'
import { steps as all } from './steps.ts'
import { type Visit, visit } from './visit.ts'

/** Milliseconds that one step may take. */
const LIMIT = 5_000

/**
 * Walks through the steps and prints a line for each.
 *
 * @param url where the tour's worker listens
 * @returns how many steps passed and failed
 */
export const walk = async (url: string, print: (line: string) => void = console.log, steps: Step[] = all) => {
  const here = visit(url)
  await using _ = here.client.$connection
  const width = Math.max(...steps.map(({ kind }) => kind.length))
  const counts = { passed: 0, failed: 0 }
  for (const step of steps) {
    try {
      const shown = await within(LIMIT, step, here)
      counts.passed++
      print(`${styleText('green', '✓')} ${styleText('bold', step.kind.padEnd(width))}  ${shown}`)
    } catch (error) {
      counts.failed++
      print(`${styleText('red', '✗')} ${styleText('bold', step.kind.padEnd(width))}  ${reason(error)}`)
    }
  }
  return counts
}

const within = async (ms: number, step: Step, here: Visit): Promise<string> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`was not over after ${ms / 1_000} s`)), ms)
  })
  try {
    return await Promise.race([step.show(here), late])
  } finally {
    clearTimeout(timer)
  }
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')

// `node walk.ts ws://localhost:8787`
if (import.meta.main) {
  const { failed } = await walk(process.argv[2] ?? 'ws://localhost:8787')
  process.exitCode = failed ? 1 : 0
}
