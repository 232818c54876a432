import { SUBPROTOCOL } from '@pairwire/wire'

/** What to answer a request with that is no upgrade to this protocol; undefined for one that is. */
export const refuseRequest = (request: Request): Response | undefined => {
  if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket')
    return new Response('This is a pairwire server. Connect with a WebSocket: createClient(url).\n', {
      status: 426,
      headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
    })
  const offered = request.headers
    .get('Sec-WebSocket-Protocol')
    ?.split(',')
    .map((name) => name.trim())
  if (offered?.includes(SUBPROTOCOL)) return undefined
  return new Response(
    `This server speaks the WebSocket subprotocol ${SUBPROTOCOL}. Offer it: new WebSocket(url, '${SUBPROTOCOL}').\n`,
    { status: 400 },
  )
}
