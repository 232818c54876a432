// Part of each Worker: answers an upgrade, for a contender that does not do that itself.

interface Half {
  binaryType: string
  accept(): void
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void
}

interface Server {
  fetch?(request: Request): Response
  socket?(ws: Half, hooks: { onMessage(f: (data: unknown) => void): void; onClose(f: () => void): void }): void
}

export const answer = (server: Server, request: Request): Response => {
  if (server.fetch) return server.fetch(request)
  const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => [unknown, Half] }
  const { 0: webSocket, 1: ws } = new WebSocketPair()
  ws.binaryType = 'arraybuffer'
  ws.accept()
  server.socket!(ws, {
    onMessage: (f) => ws.addEventListener('message', ({ data }) => f(data)),
    onClose: (f) => ws.addEventListener('close', f),
  })
  return new Response(null, { status: 101, webSocket } as ResponseInit)
}
