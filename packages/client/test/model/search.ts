import type fc from 'fast-check'
import type { Program } from './program.ts'

const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {}

/**
 * How a property is searched, and a failure played again.
 *
 * A failing test prints the smallest program that it found, with a seed and a path. To play just that one again:
 *
 *     MODEL_SEED=123 MODEL_PATH=4:0:1 npx vitest run --project node packages/client/src/model.test.ts
 *
 * `MODEL_RUNS=100000` searches longer than CI does.
 */
export const search = (runs: number): fc.Parameters<[Program]> => {
  const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = env
  return {
    numRuns: MODEL_RUNS ? Number(MODEL_RUNS) : runs,
    ...(MODEL_SEED && { seed: Number(MODEL_SEED) }),
    ...(MODEL_PATH && { path: MODEL_PATH }),
  }
}

/** The same for programs that are played side by side, of which one is played again by its number. */
export const replay = (runs: number): { seed: number; path: number | undefined; runs: number } => {
  const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = env
  return {
    seed: MODEL_SEED ? Number(MODEL_SEED) : Date.now() % 1_000_000_000,
    path: MODEL_PATH ? Number(MODEL_PATH) : undefined,
    runs: Math.max(MODEL_RUNS ? Number(MODEL_RUNS) : runs, Number(MODEL_PATH ?? 0) + 1),
  }
}
