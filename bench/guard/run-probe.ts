// @ts-expect-error: a script without types
import { run as untyped } from '../../scripts/run.mjs'
import { type Check, type Found, judgeAll, PROBES, type Probe } from './checks.ts'

const run = untyped as (command: string[]) => Promise<{ ok: boolean; output: string }>
const script = new URL('probe.ts', import.meta.url).pathname

/**
 * Has a process count, and judges what it found.
 * @param broken the name of what is broken before
 */
export const runProbe = async (probe: Probe, broken?: string): Promise<{ checks: Check[]; output: string }> => {
  const { output } = await run(['node', ...PROBES[probe], script, probe, ...(broken ? [broken] : [])])
  const line = output
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .at(-1)
  const found: Found = line ? JSON.parse(line) : {}
  return { checks: judgeAll(found, probe), output: line ? '' : output.trim() }
}
