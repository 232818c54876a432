import * as z from 'zod'
import { defineContract, mutation, query } from './index.ts'
export const ok = defineContract({
  a: query({ input: z.string() }),
  b: { c: mutation(), d: { e: query({}) } },
  default: query({}),
})
// @ts-expect-error
defineContract({ then: query({}) })
// @ts-expect-error
defineContract({ a: { then: query({}) } })
// @ts-expect-error
defineContract({ a: { toJSON: query({}) } })
// @ts-expect-error
defineContract({ $a: query({}) })
// @ts-expect-error
defineContract({ 'a.b': query({}) })
// @ts-expect-error
defineContract({ a: z.string() })
// @ts-expect-error
defineContract({ a: 1 })
// @ts-expect-error
defineContract({ a: { b: () => 1 } })
