import { defineContract, type Held, mutation, query, subscription, type } from '../../../src/index.ts'

export interface Memory {
  readonly version: string
  readonly marker: string | undefined
}

export interface Count {
  readonly sockets: number
  readonly held: Held
  /** Rows of what found no room in attachments, and of sessions without a socket. */
  readonly pieces: number
  readonly sessions: number
  readonly flooded: number
  readonly buffered: number
}

export const contract = defineContract({
  /** What lies in the object's memory. */
  memory: query({ output: type<Memory>() }),
  mark: mutation({ input: type<string>(), output: type<void>() }),
  publish: mutation({ input: type<string>(), output: type<string>() }),
  /** Writes down that it ran, in one turn. */
  plain: mutation({ input: type<string>(), output: type<string>() }),
  /** Writes down that it ran after some time. */
  slow: mutation({ input: type<string>(), output: type<string>() }),
  idempotent: mutation({ input: type<string>(), output: type<string>(), retry: 'idempotent' }),
  once: mutation({ input: type<string>(), output: type<string>(), retry: 'once' }),
  slowOnce: mutation({ input: type<string>(), output: type<string>(), retry: 'once' }),
  /** Runs, and does not end while the object lives. */
  hang: mutation({ input: type<string>(), output: type<string>(), retry: 'once' }),
  echo: query({ input: type<string>(), output: type<string>() }),
  slowEcho: query({ input: type<string>(), output: type<string>() }),
  events: subscription({ output: type<string>() }),
  /** A generator that reads the topic. */
  read: subscription({ output: type<string>() }),
  people: subscription({ output: type<unknown>() }),
  /** So many untracked events of so many characters. */
  flood: subscription({ input: type<{ events: number; size: number }>(), output: type<string>() }),
})
