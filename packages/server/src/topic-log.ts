import type { Tracked } from '@pairwire/contract'
import type { Later } from './later.ts'

/** Who waits for the next event of a log. */
export interface Waiting {
  /** There is one. Runs no code of anybody else's. */
  wake(): void
  /** There may be one, but the log cannot be read. */
  fail(error: unknown): void
}

/** Who stands behind an event that may yet be undone. */
export interface Standing {
  /** What was published after this offset never was. */
  rewind(last: number): void
}

/** What a reader needs of a log. */
export interface TopicLog<T> {
  /** Another one where what readers hold on to is gone. */
  readonly epoch: string
  /** The offset of the oldest event that is still there; one behind the last if there is none. */
  readonly first: number
  /** The offset of the last event published; 0 before any. */
  readonly last: number
  /** The offset of the last event that may be read: behind `last` while the publishing of what follows may be undone. */
  readonly ready: number
  /** Looks what is there, for a reader that is about to take its place. */
  refresh(): void
  /** Lets go of what has become too old. Not while readers are woken: the last of them would find nothing. */
  trim(): void
  /** The event at an offset from `first` to `ready`, the same object for everyone; undefined where it is lost after all. */
  read(offset: number): Tracked<T> | undefined
  /** Wakes a reader each time there is more, until it leaves. */
  wait(reader: Waiting): void
  leave(reader: Waiting): void
  /** Tells a reader that stands behind `last` if the publishing of that is undone. */
  mind(reader: Standing): void
  /** Where its readers tell others, whose code does not run in the turn of who publishes. */
  readonly later: Later
}

/** The id of the event at an offset, or with 0 of the position before the first. */
export const idAt = (log: { readonly epoch: string }, offset: number): string => `${log.epoch}.${offset}`

/** The offset of an id, if all that came after it is still there. */
export const offsetOf = (log: TopicLog<unknown>, id: unknown): number | undefined => {
  if (typeof id !== 'string' || !id.startsWith(`${log.epoch}.`)) return
  const digits = id.slice(log.epoch.length + 1)
  if (!/^(0|[1-9]\d{0,15})$/.test(digits)) return
  const offset = Number(digits)
  return offset >= log.first - 1 && offset <= log.last ? offset : undefined
}
