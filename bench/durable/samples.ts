/** Of many measurements, the one in the middle, and those at a quarter and at three quarters. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly n: number
}

export const spreadOf = (values: readonly number[]): Spread => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!
  return { median: at(0.5), low: at(0.25), high: at(0.75), n: sorted.length }
}

/** The average of the middle half: what a clock of whole milliseconds is good for, and what a busy moment does not spoil. */
export const middle = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const quarter = Math.floor(sorted.length / 4)
  const kept = sorted.slice(quarter, sorted.length - quarter)
  return kept.reduce((sum, value) => sum + value, 0) / kept.length
}

/** How often something is measured, and what waits until nobody else needs the processors. */
export interface Pace {
  readonly rounds: number
  quiet(): Promise<void>
}

/**
 * Measures each in turn, and again: what else the machine does meanwhile disturbs all of them alike. The first round warms
 * up, and does not count.
 */
export const interleave = async <K extends string>(
  { rounds, quiet }: Pace,
  measures: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, Spread>> => {
  const names = Object.keys(measures) as K[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = 0; round <= rounds; round++) {
    await quiet()
    for (const name of names) {
      const value = await measures[name]()
      if (round) values[name].push(value)
    }
  }
  return Object.fromEntries(names.map((name) => [name, spreadOf(values[name])])) as Record<K, Spread>
}
