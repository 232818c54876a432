import { handle } from './server.mjs'

export const durableObject = ({ room, opts, DurableObject }) =>
  class Bench extends DurableObject {
    leaves = new WeakMap()
    fetch() {
      const { 0: client, 1: ws } = new WebSocketPair()
      this.ctx.acceptWebSocket(ws)
      return new Response(null, { status: 101, webSocket: client })
    }
    webSocketMessage(ws, data) {
      let leaves = this.leaves.get(ws)
      if (!leaves) {
        leaves = new Map()
        this.leaves.set(ws, leaves)
      }
      handle(data, ws, room, leaves, opts)
    }
    webSocketClose(ws) {
      for (const leave of this.leaves.get(ws)?.values() ?? []) leave()
    }
  }
