import { describe } from 'vitest'
import { calls } from './calls.ts'
import { cost } from './cost.ts'
import { errors } from './errors.ts'
import { frames } from './frames.ts'
import { handshake } from './handshake.ts'
import type { Place } from './place.ts'
import { reverse } from './reverse.ts'
import { streams } from './streams.ts'
import { values } from './values.ts'

const suites = { calls, streams, values, errors, reverse, handshake, cost, frames }

/** Runs every suite that needs no more of a place than sockets. */
export const every = (place: Place, names: (keyof typeof suites)[] = Object.keys(suites) as never): void => {
  for (const name of names) describe(name, () => suites[name](place))
}
