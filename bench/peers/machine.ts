import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** What Linux counts processor time in: 100 to a second, practically everywhere. */
const TICK = 100

const numbersOf = (path: string, skip: number) =>
  readFileSync(path, 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(skip).map(Number)

/** Processor seconds that all processes of the machine have used; 0 where it does not say. */
export const busySeconds = (): number => {
  if (!existsSync('/proc/stat')) return 0
  const [user, nice, system, , , irq, softirq] = numbersOf('/proc/stat', 1) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return (user + nice + system + irq + softirq) / TICK
}

/** What stands behind the name of a process, which may have spaces and brackets itself. */
const statOf = (pid: number | string) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const end = stat.lastIndexOf(')')
  return { name: stat.slice(stat.indexOf('(') + 1, end), fields: stat.slice(end + 2).split(' ') }
}

/** Nanoseconds that a process's threads have used, as the scheduler counts them; 0 where it does not. */
const scheduled = (pid: number) => {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => numbersOf(`/proc/${pid}/task/${thread}/schedstat`, 0)[0]!)
      .reduce((sum, time) => sum + time, 0)
  } catch {
    return 0
  }
}

/** Processor seconds that one process has used; 0 where the machine does not say. */
export const secondsOf = (pid: number | undefined): number => {
  if (!pid) return 0
  const nanoseconds = scheduled(pid)
  if (nanoseconds) return nanoseconds / 1e9
  try {
    const { fields } = statOf(pid)
    return (Number(fields[11]) + Number(fields[12])) / TICK
  } catch {
    return 0
  }
}

/** The workerd that a process has started. */
export const workerdOf = (parent: number): number | undefined => {
  const isIts = (pid: number) => {
    try {
      const { name, fields } = statOf(pid)
      return name === 'workerd' && Number(fields[1]) === parent
    } catch {
      return false
    }
  }
  if (!existsSync('/proc/self/stat')) return undefined
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find(isIts)
}

/**
 * Waits until other processes leave the processors alone, as long as there is patience left.
 *
 * @param patience milliseconds, and how much of it one wait may use up
 * @param most cores that may be in use
 */
export const createQuiet = ({ patience, atOnce }: { patience: number; atOnce: number }, most = 0.3) => {
  let left = patience
  return async () => {
    const enough = left - atOnce
    for (;;) {
      const before = { busy: busySeconds(), at: performance.now() }
      await sleep(100)
      const took = performance.now() - before.at
      if ((busySeconds() - before.busy) / (took / 1_000) <= most || left <= Math.max(0, enough)) return
      await sleep(200)
      left -= 300
    }
  }
}

/** What the numbers are of. */
export const describeMachine = () => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  system: `${process.platform} ${process.arch}`,
  node: process.versions.node,
})
