import { defineContract, mutation, subscription, type } from '@pairwire/contract'

/** What a click is answered with. */
export interface Click {
  count: number
  at: Date
}

export const counter = defineContract({
  /** Counts one click. */
  click: mutation({ output: type<Click>() }),
  /** The Worker's clock, on every full second. */
  clock: subscription({ output: type<Date>() }),
})
