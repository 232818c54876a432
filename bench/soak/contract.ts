import { defineContract, mutation, query, subscription, type } from '../../packages/contract/src/index.ts'

/** What a call asks for. */
export interface Work {
  /** Under which its runs are counted. */
  readonly id: number
  /** How long it takes. */
  readonly ms: number
  /** Whether it ends with a declared error. */
  readonly fails: boolean
}

/** What a call's run answers. */
export interface Ran {
  /** How many runs its id has had, with this one. */
  readonly run: number
  /** Another one for each run. */
  readonly stamp: number
}

export interface Received extends Ran {
  readonly bytes: number
  readonly sum: number
}

/** One event of a topic. They are numbered from 1, without a hole. */
export interface Tick {
  readonly n: number
  /** Nothing comes after it. */
  readonly last: boolean
}

/** One event without an id. */
export interface Step {
  /** How often this reader's handler was called so far. */
  readonly run: number
  /** From 1 up in each run. */
  readonly n: number
}

const work = type<Work>()
const ran = type<Ran>()
const errors = { REFUSED: null }

export const soak = defineContract({
  query: query({ input: work, output: ran, errors }),
  plain: mutation({ input: work, output: ran, errors }),
  idempotent: mutation({ input: work, output: ran, errors, retry: 'idempotent' }),
  once: mutation({ input: work, output: ran, errors, retry: 'once' }),
  upload: mutation({ input: work, inputStream: type<Uint8Array>(), output: type<Received>(), errors }),
  /** The ids that the topics' first events come behind. */
  starts: query({ output: type<{ steady: string; short: string }>() }),
  /** Keeps all its events. */
  steady: subscription({ output: type<Tick>() }),
  /** Keeps so few that who was away has missed some. */
  short: subscription({ output: type<Tick>() }),
  untracked: subscription({ input: type<{ reader: number }>(), output: type<Step>() }),
})
