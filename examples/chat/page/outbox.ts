import type { Draft } from '../contract.ts'

/** A message on its way. */
export interface Outgoing extends Draft {
  at: Date
  /** Why it did not arrive, as far as anybody knows. */
  problem: string | undefined
}

const keyOf = (room: string) => `outbox ${room}`

/** Notes what is on its way, so that a page that is loaded again goes on with it. Pictures are too large for that. */
export const remember = (room: string, outgoing: readonly Outgoing[]): void => {
  const words = outgoing.filter(({ picture }) => !picture)
  if (words.length) sessionStorage.setItem(keyOf(room), JSON.stringify(words))
  else sessionStorage.removeItem(keyOf(room))
}

export const recall = (room: string): Outgoing[] =>
  (JSON.parse(sessionStorage.getItem(keyOf(room)) ?? '[]') as Outgoing[]).map((message) => ({
    ...message,
    at: new Date(message.at),
  }))
