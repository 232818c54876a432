import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'

/** What a call asks of its handler. */
export interface Task {
  /** A test's own: what the handler did is noted under it. */
  key: string
  /** Waits until the test opens the gate of this key, or the signal fires. */
  hold?: boolean
  /** Does not heed the signal. */
  deaf?: boolean
  /** Fails, with a declared error. */
  fails?: boolean
  /** So many characters of output more. */
  size?: number
  /** To make the input large. */
  padding?: string
}

export interface Snapshot {
  kind: 'all' | 'add'
  items: number[]
}

const task = { input: type<Task>(), output: type<string>(), errors: { BROKEN: type<{ run: number }>() } }

/** One procedure for each promise about a lost connection. A result says which run of its key it comes from. */
export const contract = defineContract({
  query: query(task),
  plain: mutation(task),
  idempotent: mutation({ ...task, retry: 'idempotent' }),
  once: mutation({ ...task, retry: 'once' }),
  otherOnce: mutation({ ...task, retry: 'once' }),
  upload: mutation({ ...task, inputStream: type<string>() }),
  uploadIdempotent: mutation({ ...task, inputStream: type<string>(), retry: 'idempotent' }),
  uploadOnce: mutation({ ...task, inputStream: type<string>(), retry: 'once' }),
  /** The events of a topic, with ids. */
  events: subscription({ input: type<string>(), output: type<number>() }),
  /** The same; each event is followed by one without an id. */
  noisy: subscription({ input: type<string>(), output: type<number | 'noise'>() }),
  /** Events without ids: how often it was called, then those of the topic. */
  untracked: subscription({ input: type<string>(), output: type<number>() }),
  /** All items so far, then each that is added. */
  items: subscription({ input: type<string>(), output: type<Snapshot>() }),
  /** The first n events of the topic, then its end. */
  some: subscription({ input: type<{ topic: string; n: number }>(), output: type<number>() }),
  talk: subscription({ input: type<string>(), inputStream: type<string>(), output: type<string>() }),
  who: query({ output: type<unknown>() }),
  /** For those whose role is admin. */
  secret: subscription({ input: type<string>(), output: type<number>(), meta: { admin: true } }),
  secretTask: query({ ...task, meta: { admin: true } }),
  secretMutation: mutation({ ...task, meta: { admin: true } }),
})
