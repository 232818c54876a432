import { DurableObject } from 'cloudflare:workers'
import { vouchedFor } from '../src/durable/vouched.ts'

/** A Durable Object that tells what it was told of each upgrade, as its first message. */
export class TestRoom extends DurableObject {
  /** How often each was woken, by its name. */
  static readonly woken: Map<string, number> = new Map()

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never)
    const name = `${ctx.id.name}`
    TestRoom.woken.set(name, (TestRoom.woken.get(name) ?? 0) + 1)
  }

  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url)
    if (searchParams.has('throw')) throw new Error('secret')
    if (searchParams.has('abort')) this.ctx.abort('deployed')
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    const { identity, name } = vouchedFor(request) ?? {}
    const { country } = (request.cf ?? {}) as { country?: unknown }
    server.send(JSON.stringify({ name, identity: describe(identity), object: this.ctx.id.name, country }))
    return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': 'pairwire.1' } })
  }

  greet(whom: string): string {
    return `Hello ${whom}, this is ${this.ctx.id.name}`
  }
}

const describe = (value: unknown): unknown =>
  value instanceof Map ? [...value].map(([key, of]) => [key, of instanceof Date ? of.getTime() : of]) : value
