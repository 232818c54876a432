import { type Spread, spreadOf } from '../peers/spread.ts'

/** Seconds that something took: of the processor, all processes together, and on the clock. */
export interface Sample {
  cpu: number
  wall: number
}

export interface Point {
  /** How many, or how much, there was of what the series grows in. */
  n: number
  cpu: Spread
  wall: Spread
}

/** What is measured together, and drawn in one panel. */
export type Panel = 'calls' | 'events' | 'wakes' | 'encode' | 'decode'

export interface Series {
  panel: Panel
  name: string
  points: Point[]
}

/** A series, and how it grows: `cost ~ n^exponent`. */
export interface Judged extends Series {
  /** Over all of it, and over its last factor of ten, where nothing hides behind what each costs at least. */
  exponent: { all: number; end: number }
  linear: boolean
}

/** The exponent of linear work: each call costs the same whatever is beside it; an event to twice as many costs twice. */
export const LINEAR: Record<Panel, 0 | 1> = { calls: 0, events: 1, wakes: 1, encode: 1, decode: 1 }

/** Above linear, and still called that: what a median of a few rounds is off by. */
const TOLERANCE = { all: 0.05, end: 0.15 }

/** The slope of the line through all points, where both axes are logarithmic. */
const slopeOf = (points: readonly Point[]) => {
  const x = points.map(({ n }) => Math.log(n))
  const y = points.map(({ cpu }) => Math.log(cpu.median))
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [mx, my] = [mean(x), mean(y)]
  const over = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0)
  return over / x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
}

export const judge = (series: Series): Judged => {
  const { panel, points } = series
  const last = points.at(-1)!.n
  const exponent = { all: slopeOf(points), end: slopeOf(points.filter(({ n }) => n >= last / 11)) }
  const linear = (['all', 'end'] as const).every((of) => exponent[of] <= LINEAR[panel] + TOLERANCE[of])
  return { ...series, exponent, linear }
}

/** How long a run takes. */
export interface Pace {
  /** Each point is the median of so many. */
  rounds: number
  /** Milliseconds that a measurement takes at least. */
  ms: number
  /** Leaves out what is larger than this part of the largest. */
  part: number
  quiet(): Promise<void>
}

/**
 * Measures each size in turn, and again, so that what else the machine does meanwhile disturbs all of them alike. Sizes
 * that differ by more than measurements do.
 */
export const grow = async (
  { rounds, quiet }: Pick<Pace, 'rounds' | 'quiet'>,
  sizes: readonly number[],
  measure: (n: number) => Promise<Sample> | Sample,
): Promise<Point[]> => {
  const samples = sizes.map((): Sample[] => [])
  for (let round = 0; round < rounds; round++) {
    await quiet()
    for (const [i, n] of sizes.entries()) samples[i]!.push(await measure(n))
  }
  return sizes.map((n, i) => ({
    n,
    cpu: spreadOf(samples[i]!.map(({ cpu }) => cpu))!,
    wall: spreadOf(samples[i]!.map(({ wall }) => wall))!,
  }))
}

/** 1, 3, 10, 30 … up to the largest. */
export const sizesTo = (largest: number, { part }: Pick<Pace, 'part'>, smallest = 1): number[] => {
  const sizes: number[] = []
  for (let n = smallest; n <= largest * part; n *= 10) sizes.push(...[n, 3 * n].filter((n) => n <= largest * part))
  return sizes
}
