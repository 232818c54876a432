import type { OnError } from '@pairwire/router'
import type { RichTypes } from '@pairwire/wire'

/** One client that was welcomed: a session with at least one open socket. The same object for as long as it is there. */
export interface Connection {
  /** What `authenticate` returned last. Another object where it is another identity. */
  readonly identity: unknown
}

/** Who is connected to a Durable Object, as far as what is built on it wants to know. */
export interface Connections {
  /** All of them, in the order in which they came: also right after a wake-up, before anything else runs. */
  [Symbol.iterator](): Iterator<Connection>
  /** Has a function called after any change: one came, or left, or has another identity. It runs no code of the user's. */
  onChange(listener: () => void): void
  /**
   * Has a function called with each that left while the object slept: it is among the connections no more when the object
   * wakes up, but whoever was told something before that was told of it.
   */
  onMissed?(listener: (connection: Connection) => void): void
  /** When all that were there before a sleep are there again; undefined if there were none. */
  readonly awake?: Promise<unknown> | undefined
  /** Closes the sockets of those that have been silent too long, so that nobody is shown who is long gone. */
  sweep(): void
  /** The server's, for what goes wrong where no caller is told. */
  readonly onError?: OnError | undefined
  /** The server's, for identities that hold more than JSON. */
  readonly types?: RichTypes | undefined
}

/** By the object's `ctx`: what a class has as a field finds them there, whatever the class stands on. */
export const connectionsOf: WeakMap<object, Connections> = new WeakMap()
