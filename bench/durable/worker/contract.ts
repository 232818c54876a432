import { defineContract, mutation, query, subscription, type } from '../../../packages/server/src/index.ts'

export const contract = defineContract({
  echo: query({ input: type<string>(), output: type<string>() }),
  /** An effect in one row, and no more. */
  write: mutation({ input: type<string>(), output: type<void>() }),
  /** The same, by handlers with `await`, and with a record of the call. */
  writeSoon: mutation({ input: type<string>(), output: type<void>() }),
  once: mutation({ input: type<string>(), output: type<void>(), retry: 'once' }),
  onceSoon: mutation({ input: type<string>(), output: type<void>(), retry: 'once' }),
  nothing: mutation({ output: type<void>() }),
  post: mutation({ input: type<string>(), output: type<void>() }),
  events: subscription({ output: type<string>() }),
})
