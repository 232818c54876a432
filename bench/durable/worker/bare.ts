import { DurableObject } from 'cloudflare:workers'

/** What the platform takes by itself: sockets that hibernate, an echo, and a loop that sends to all. */
export class Bare extends DurableObject {
  override fetch(request: Request): Response {
    const { 0: client, 1: ws } = new WebSocketPair()
    this.ctx.acceptWebSocket(ws)
    const protocol = request.headers.get('Sec-WebSocket-Protocol')
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: protocol ? { 'Sec-WebSocket-Protocol': protocol } : {},
    })
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void {
    ws.send(message)
  }

  override webSocketClose(ws: WebSocket): void {
    ws.close()
  }

  announce(text: string): void {
    for (const ws of this.ctx.getWebSockets()) ws.send(text)
  }

  /** As much as a topic does for those who come back: the event is in storage before anybody has it. */
  announceStored(text: string): void {
    this.ctx.storage.sql.exec('INSERT INTO events (text) VALUES (?)', text)
    this.announce(text)
  }

  prepare(): void {
    this.ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, text TEXT)')
  }
}
