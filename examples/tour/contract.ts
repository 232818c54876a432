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

/** How often each handler of a bakery has run. */
export type Runs = Record<'bake' | 'preheat' | 'stock' | 'pay', number>

/** Mutations that take a while, so that their connection can be lost meanwhile. */
const kitchen = {
  bake: mutation({ output: z.object({ loaf: z.number() }) }),
  preheat: mutation({
    input: z.object({ to: z.number() }),
    output: z.object({ degrees: z.number() }),
    retry: 'idempotent',
  }),
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
  ...kitchen,
})

/** What the Durable Object answers. It is one bakery for all who connect to its path. */
export const bakery = defineContract({
  ...kitchen,
  stock: query({ output: z.number() }),
  pay: mutation({
    input: z.object({ cents: z.number().int() }),
    output: z.object({ receipt: z.number() }),
    retry: 'once',
  }),
  baked: subscription({ output: z.number() }),
  oven: subscription({ output: z.number() }),
  runs: query({ output: type<Runs>() }),
})

/** What the Worker calls on a client. */
export const visitor = defineContract({
  name: query({ input: z.object({ greeting: z.string() }), output: z.string() }),
})
