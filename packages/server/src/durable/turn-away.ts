import type { RpcError } from '@pairwire/contract'
import { mask, type OnError } from '@pairwire/router'
import { closeReason, GOAWAY, INTERNAL_CLOSE, SUBPROTOCOL } from '@pairwire/wire'
import { refusalCode } from '../refusals.ts'

/**
 * Answers an upgrade with a socket that is closed at once. A browser is told why only by a close code: an upgrade that was
 * refused looks to it like a server that is down, and its client would try again for ever.
 *
 * @param retryAfter milliseconds that the client waits before it comes back, where it does
 */
export const turnAway = (code: number, reason: string, retryAfter?: number): Response => {
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  // A close code has no room for a time.
  if (retryAfter) server.send(JSON.stringify([GOAWAY, { reason, retryAfter }]))
  server.close(code, closeReason(reason))
  return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } })
}

/** The same for what was thrown: to refuse, or by mistake, which is reported and not told. */
export const turnAwayFor = (error: unknown, where: string, onError: OnError | undefined): Response => {
  const code = refusalCode(error)
  if (!code) return turnAway(INTERNAL_CLOSE, mask(error, where, 'query', onError).message)
  const { message, retryAfter } = error as RpcError
  return turnAway(code, message, retryAfter)
}
