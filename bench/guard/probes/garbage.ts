import { GCProfiler } from 'node:v8'
import { workloads } from '../workloads.ts'

const ROUNDS = 7
const { gc } = globalThis as { gc?: () => void }

const allocated = async (run: () => Promise<unknown>): Promise<number> => {
  gc!()
  const profiler = new GCProfiler()
  profiler.start()
  const before = process.memoryUsage().heapUsed
  await run()
  const bytes = process.memoryUsage().heapUsed - before
  if (profiler.stop()!.statistics.length) throw new Error('the young generation is too small for this')
  return bytes
}

/** Bytes that each workload allocates, per call, event or delivery: the least of some rounds, as the first ones warm up. */
export const measure = async () => {
  const found: Record<string, number> = {}
  for (const [name, begin] of Object.entries(workloads)) {
    const { n, run } = await begin()
    let least = Number.POSITIVE_INFINITY
    await run()
    for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await allocated(run))
    found[name] = Math.round(least / n)
  }
  return { garbage: found }
}
