import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'
import { z } from 'zod'

/** Values that JSON has no words for. */
export interface Landing {
  at: Date
  crew: Map<string, Set<string>>
  metres: bigint
}

/** What the Worker remembers of one connection. */
export interface Visit {
  /** Calls of `wait` that still run. */
  waiting: number
  /** Calls of `wait` whose signal fired. */
  stopped: number
  /** Milliseconds that the last `wait` was told it has; undefined if it was told nothing. */
  remaining: number | undefined
  /** Subscriptions to `numbers` whose generator has run its `finally`. */
  left: number
}

/** What a client calls on the Worker. */
export const tour = defineContract({
  add: query({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
  whoAmI: query({ output: z.string() }),
  mirror: query({ input: type<Landing>(), output: type<Landing>() }),
  spend: mutation({
    input: z.object({ coins: z.number().int().positive() }),
    output: z.object({ left: z.number() }),
    errors: { BROKE: z.object({ missing: z.number() }) },
  }),
  countdown: subscription({ input: z.object({ from: z.number().int() }), output: z.number() }),
  numbers: subscription({ output: z.number() }),
  files: {
    upload: mutation({
      input: z.object({ name: z.string() }),
      inputStream: z.instanceof(Uint8Array),
      output: z.object({ name: z.string(), size: z.number(), sha256: z.instanceof(Uint8Array) }),
    }),
  },
  shout: subscription({ inputStream: z.string(), output: z.string() }),
  introduce: query({ output: z.string() }),
  wait: query(),
  visit: query({ output: type<Visit>() }),
})

/** What the Worker calls on a client. */
export const visitor = defineContract({
  name: query({ input: z.object({ greeting: z.string() }), output: z.string() }),
})
