import { countOn, counts } from './counters.ts'
import { Room } from './room.ts'

/** A room of which all is counted; its clock delays each wake-up by a turn. */
export class CountedRoom extends Room {
  constructor(ctx: DurableObjectState, env: unknown) {
    const begun = performance.now()
    countOn(ctx.storage)
    super(ctx, env)
    counts.lives++
    if (!ctx.getWebSockets().length) return
    // Beside the base's own, which was called first: so its first turns are over before these are.
    ctx.blockConcurrencyWhile(async () => {
      for (let turns = 3; turns--; ) await undefined
      counts.restored = (performance.now() - begun) * 1_000
      await scheduler.wait(0)
      counts.settled = (performance.now() - begun) * 1_000
    })
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void | Promise<void> {
    counts.framesIn++
    return super.webSocketMessage(ws, message)
  }

  nothing(): void {}

  sockets(): number {
    return this.ctx.getWebSockets().length
  }
}
