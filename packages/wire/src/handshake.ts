import { BAD_FRAME, ProtocolError } from './close.ts'
import type { Encoded } from './codec.ts'
import { compose } from './frame.ts'
import { HELLO, type Message, VERSION, WELCOME, type Welcome } from './messages.ts'

/** The connector's first message. */
export const composeHello = (session: string, options: Encoded): string =>
  compose(`${HELLO},${VERSION},"${session}"`, options)

/**
 * Reads the acceptor's first message.
 * @throws ProtocolError where it is no welcome
 */
export const readWelcome = ([op, welcome]: Message): Welcome => {
  if (op !== WELCOME || !Object(welcome).limits) throw new ProtocolError(BAD_FRAME, 'not pairwire.1')
  return welcome as Welcome
}
