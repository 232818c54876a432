import type { Line } from '@pairwire/wire'
import type { KeptSession, Session, SessionHello, SessionSocket } from './session.ts'

/** The end of a socket, as far as its keeper cares. */
export interface ClosableSocket {
  close(code: number, reason: string): void
}

/** Writes down what a socket's end knows, where the process may end and the socket stay: before the turn is over that it came in. */
export interface SocketKeeper {
  /** First: whose it is. */
  attached(peer: ClosableSocket): void
  /** `hello` has come, and whose the connection is has to be waited for. */
  greeted(): void
  /** It has been welcomed: what is to be known of it from now on. */
  welcomed(session: Session, socket: SessionSocket, window: number | undefined): void
  /** A frame came. */
  heard(): void
  closed(): void
  /** Whether the socket was given up before it was attached. */
  readonly isOff: boolean
}

/** What a keeper knows of a socket that an earlier process has welcomed. */
export interface KeptSocket {
  readonly order: number
  readonly leaving: boolean
  readonly hello: SessionHello
  readonly window: number | undefined
  readonly session: KeptSession | undefined
  /** Puts results on this line, and starts the subscriptions again. */
  resume(session: Session, line: Line): void
}
