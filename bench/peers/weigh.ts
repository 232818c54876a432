import { gzipSync } from 'node:zlib'
// @ts-expect-error: a script without types
import { run as untyped } from '../../scripts/run.mjs'
import { weighClient } from './bundle.ts'
import type { Plan } from './plan.ts'

const run = untyped as (command: string[]) => Promise<{ ok: boolean; output: string }>
export const gzip = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length

/** What clients weigh in a page: pairwire's doors as its own check weighs them, the others' with the glue of their contender. */
export const measureSizes = async (
  { contenders }: Plan,
  failed: (text: string) => void,
): Promise<Record<string, number>> => {
  const sizes: Record<string, number> = {}
  const built = await run(['turbo', 'run', 'build', '--output-logs=errors-only', '--no-color'])
  if (!built.ok) failed(`build: ${built.output.trim().split('\n').at(-1)}`)
  const { output } = await run(['node', 'scripts/sizes.mjs'])
  for (const [, door, kB] of output.matchAll(/^@pairwire\/(client(?:\/json)?) +[\d.]+ kB +([\d.]+) kB/gm))
    sizes[door === 'client' ? 'pairwire' : 'pairwire, JSON only'] = Number(kB) * 1_000
  for (const contender of contenders) {
    if (contender.only || contender.name === 'pairwire') continue
    try {
      sizes[contender.name] = await weighClient(contender, gzip)
    } catch (error) {
      failed(`size of ${contender.name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return sizes
}

/** Type instantiations, as `bench/types` counts them. */
export const measureTypes = async (failed: (text: string) => void): Promise<Record<string, number>> => {
  const { ok, output } = await run(['node', 'bench/types/measure.mjs'])
  if (!ok) failed(`types: ${output.trim().split('\n').at(-1)}`)
  const rows = output.matchAll(/^(\S.*?) {2,}([\d,]+)(?: +[\d,]+)+ +[\d.]+ s$/gm)
  return Object.fromEntries([...rows].map(([, what, count]) => [what, Number(count!.replaceAll(',', ''))]))
}
