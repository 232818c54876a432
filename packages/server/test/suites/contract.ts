import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'
import { z } from 'zod'

/** One procedure for each thing a suite looks at. A `key` is a test's own: what its handler saw is noted under it. */
export const contract = defineContract({
  add: query({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
  echo: query({ input: type<unknown>(), output: type<unknown>() }),
  nothing: mutation({}),
  /** The order in which calls with one key ran. */
  order: mutation({ input: z.object({ key: z.string(), n: z.number() }), output: z.number() }),
  sleep: query({ input: z.number(), output: z.string() }),
  /** Waits for its signal; notes the reason's code. */
  wait: mutation({ input: z.string(), output: z.string() }),
  /** Waits for its signal, and then answers all the same. */
  late: mutation({ input: z.string(), output: z.string() }),
  deadline: query({ output: type<number | undefined>() }),
  metadata: query({ output: type<Record<string, string>>() }),
  throws: {
    declared: mutation({ errors: { MUTED: z.object({ until: z.date() }), CLOSED: null } }),
    empty: mutation({ errors: { CLOSED: null } }),
    /** Whose data does not match its own schema. */
    wrong: mutation({ errors: { MUTED: z.object({ until: z.date() }) } }),
    standard: mutation({ input: z.string() }),
    anything: mutation({ input: z.string() }),
    inStream: subscription({ input: z.string(), output: z.number() }),
    inFinally: subscription({ input: z.string(), output: z.number() }),
    unreported: mutation({}),
  },
  outputs: {
    invalid: query({ output: z.string() }),
    odd: query({ input: z.string(), output: type<unknown>() }),
    oddEvent: subscription({ input: z.string(), output: type<unknown>() }),
    text: query({ input: z.number(), output: z.string() }),
  },
  count: subscription({ input: z.number(), output: z.number() }),
  /** Events of a size; notes each before it leaves. */
  blocks: subscription({ input: z.object({ key: z.string(), size: z.number(), n: z.number() }), output: z.string() }),
  /** One event, then waits; its `finally` notes. */
  open: subscription({ input: z.string(), output: z.number() }),
  topic: subscription({ input: z.string(), output: z.string() }),
  publish: mutation({ input: z.object({ key: z.string(), text: z.string() }) }),
  tracked: subscription({ output: type<unknown>() }),
  resumed: subscription({ output: type<string | undefined>() }),
  upload: mutation({ input: z.string(), inputStream: z.instanceof(Uint8Array), output: z.number() }),
  /** Reads one item, then no more until its signal. */
  stall: mutation({ input: z.string(), inputStream: type<unknown>(), output: z.string() }),
  /** Answers after the first item. */
  first: mutation({ inputStream: type<unknown>(), output: type<unknown>() }),
  talk: subscription({ inputStream: z.string(), output: z.string() }),
  deep: { er: { still: query({ input: z.string(), output: z.string(), meta: { level: 3 } }) } },
  context: query({ output: type<unknown>() }),
  ask: {
    name: query({ input: z.string(), output: z.string() }),
    code: query({ input: type<{ path: string; timeout?: number }>(), output: type<unknown>() }),
    cancel: query({ input: z.string(), output: z.string() }),
    events: query({ input: z.number(), output: z.array(z.number()) }),
    left: mutation({ input: z.string() }),
  },
  witness: {
    of: query({ input: z.string(), output: type<unknown[]>() }),
    /** What `onError` heard under an id. */
    report: query({ input: z.string(), output: type<{ path: string; error: string } | undefined>() }),
  },
})

/** What the server may call on its clients. */
export const clientContract = defineContract({
  name: query({ input: z.string(), output: z.string() }),
  fails: query({ output: z.string(), errors: { BUSY: z.object({ since: z.date() }) } }),
  crashes: query({ output: z.string() }),
  lies: query({ output: z.string() }),
  waits: query({ input: z.string(), output: z.string() }),
  events: subscription({ input: z.number(), output: z.number() }),
})
