import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'
import * as z from 'zod'
import { AddInput, Order, Tick } from '../../app.ts'

/** Everything is checked by zod, both ways, but for the rows whose peers check nothing either. */
export const bench = defineContract({
  add: query({ input: AddInput, output: z.number() }),
  /** The same with an effect: its result is kept until the caller has it. */
  put: mutation({ input: AddInput, output: z.number() }),
  echo: query({ input: type<unknown>(), output: type<unknown>() }),
  order: query({ input: Order, output: Order }),
  bytes: query({ input: z.instanceof(Uint8Array), output: z.instanceof(Uint8Array) }),
  /** From an async generator. */
  ticks: subscription({ input: z.number(), output: Tick }),
  /** From a topic, which `burst` fills. */
  topic: subscription({ input: z.number(), output: Tick }),
  burst: mutation({ input: z.number(), output: type<void>() }),
  room: subscription({ output: Tick }),
  publish: mutation({ input: z.number(), output: type<void>() }),
  /** An async generator that has nothing to say. */
  silence: subscription({ output: Tick }),
})
