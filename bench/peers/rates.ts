import type { Cell } from './cells.ts'
import { type Contender, contenders, type Host } from './contenders/index.ts'
import type { Plan } from './plan.ts'
import type { Rate, Results, WireRow } from './results.ts'
import { spreadOf } from './spread.ts'
import { type Pair, start } from './start.ts'
import type { Measured, Skipped, Wire } from './workloads.ts'

/** More than this many cores of other processes, and a cell counts as disturbed. */
const DISTURBED = 0.25
/** How often a disturbed cell is measured; the calmest counts. */
const TRIES = 3

interface Sample extends Measured {
  host: Host
  contender: Contender
  cell: Cell
  round: number
}

const WARM = { ms: 300, inflight: 100 }

/** Measures every cell of every contender, so many rounds; within a cell one directly after the other, each round another first. */
export const measureRates = async (
  plan: Plan,
  { quiet, log }: { quiet(): Promise<void>; log(text: string): void },
): Promise<Pick<Results, 'rates' | 'wires' | 'rounds' | 'disturbed' | 'failures'>> => {
  const samples: Sample[] = []
  const wires: WireRow[] = []
  const failures: string[] = []

  const calmest = async (pair: Pair, { workload, args, once, cold }: Cell) => {
    let best: Measured | undefined
    for (let tries = plan.mode === 'full' && !cold ? TRIES : 1; tries--; ) {
      if (!once) await quiet()
      const measured = (await pair.client(workload, args)) as Measured | Wire | Skipped
      if (!('foreign' in measured)) return measured
      if (!best || measured.foreign < best.foreign) best = measured
      if (best.foreign <= DISTURBED) break
    }
    return best!
  }

  const one = async (pair: Pair, host: Host, cell: Cell, round: number): Promise<string> => {
    const { contender } = pair
    try {
      const measured = await calmest(pair, cell)
      if ('skip' in measured) return ''
      if ('burstCall' in measured) {
        wires.push({ host, contender: contender.name, ...measured })
        return ''
      }
      samples.push({ ...measured, host, contender, cell, round })
      const mark = measured.foreign > DISTURBED ? '!' : ''
      return `${contender.name} ${Math.round(measured.perSecond)}${mark}`
    } catch (error) {
      const text = (error as Error).message.split('\n')[0]
      failures.push(`${host}, ${contender.name}, ${cell.key}: ${text}`)
      return `${contender.name} FAILED (${text})`
    }
  }

  const oneRound = async (host: Host, round: number) => {
    const cells = plan.cells(host).filter(({ once }) => !once || !round)
    const here = plan.contenders.filter((contender) => contender.hosts.includes(host))
    const pairs: Pair[] = []
    const say = (key: string, said: readonly string[]) => {
      if (said.some(Boolean)) log(`round ${round + 1}, ${host}, ${key}: ${said.filter(Boolean).join(' · ')}`)
    }
    const [colds, warms] = [cells.filter(({ cold }) => cold), cells.filter(({ cold }) => !cold)]
    const first: string[] = []
    for (const contender of here) {
      if (!cells.some((cell) => plan.takesPart(contender, cell))) continue
      try {
        const pair = await start(contender, host)
        pairs.push(pair)
        for (const cell of colds) if (plan.takesPart(contender, cell)) first.push(await one(pair, host, cell, round))
        await pair.client('load', WARM)
      } catch (error) {
        failures.push(`${host}, ${contender.name}: ${(error as Error).message.split('\n')[0]}`)
      }
    }
    say('cold', first)
    for (const cell of warms) {
      const said: string[] = []
      for (const i of pairs.keys()) {
        const pair = pairs[(i + round) % pairs.length]!
        if (plan.takesPart(pair.contender, cell)) said.push(await one(pair, host, cell, round))
      }
      say(cell.key, said)
    }
    await Promise.all(pairs.map((pair) => pair.stop()))
  }

  const began = performance.now()
  let rounds = 0
  while (rounds < plan.rounds) {
    const took = performance.now() - began
    if (rounds > 1 && took + took / rounds > plan.budget) break
    for (const host of plan.hosts) await oneRound(host, rounds)
    rounds++
  }
  const of = samples.length
  return {
    rates: ratesOf(samples),
    wires,
    rounds,
    disturbed: { cells: samples.filter(({ foreign }) => foreign > DISTURBED).length, of },
    failures: [...new Set(failures)],
  }
}

const ratesOf = (samples: readonly Sample[]): Rate[] => {
  const find = (host: Host, contender: string, key: string) =>
    samples.filter((sample) => sample.host === host && sample.contender.name === contender && sample.cell.key === key)
  const seen = new Map<string, Rate>()
  for (const { host, contender, cell } of samples) {
    const id = `${host} ${contender.name} ${cell.key}`
    if (seen.has(id)) continue
    const mine = find(host, contender.name, cell.key)
    const base = find(host, contender.base, cell.against ?? cell.key)
    const ratios = mine.flatMap(({ round, perSecond }) => {
      const other = base.find((sample) => sample.round === round)
      return other ? [perSecond / other.perSecond] : []
    })
    const median = (of: (sample: Sample) => number) => spreadOf(mine.map(of))!.median
    seen.set(id, {
      host,
      contender: contender.name,
      cell: cell.key,
      perSecond: spreadOf(mine.map(({ perSecond }) => perSecond))!,
      ratio: spreadOf(ratios),
      client: median(({ client, count }) => (client / count) * 1e6),
      server: median(({ server, count }) => (server / count) * 1e6),
      bytes: median(({ sent, received, count }) => (sent + received) / count),
      ...(mine[0]!.p50 !== undefined && { p50: median(({ p50 }) => p50!), p99: median(({ p99 }) => p99!) }),
      ...(mine[0]!.rich !== undefined && { rich: mine[0]!.rich }),
    })
  }
  // As they are listed, whoever happened to be first.
  const order = contenders.map(({ name }) => name)
  return [...seen.values()].sort((a, b) => order.indexOf(a.contender) - order.indexOf(b.contender))
}
