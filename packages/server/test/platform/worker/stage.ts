import {
  type AuthenticateCall,
  durableLedger,
  durablePresence,
  durableTopic,
  RpcDurableObject,
} from '../../../src/durable.ts'
import { implement, type Tracked } from '../../../src/index.ts'
import { type Count, contract } from './contract.ts'
import { live } from './lives.ts'

/** Which code runs: see `deploy`. */
declare const VERSION: string

interface User {
  readonly name: string
}

/** An object that does a little of everything. */
export class Stage extends RpcDurableObject<unknown, User> {
  readonly messages = durableTopic<string>(this.ctx, 'messages', { retain: 100_000 })
  readonly presence = durablePresence(this.ctx, (user: User) => ({ id: user.name }))
  #marker: string | undefined
  #flooded = 0
  #most = 0

  override readonly options = { limits: { subscriptions: 1_000 }, ledger: durableLedger(this.ctx) }

  readonly router = implement(contract)
    .context<User>()
    .handlers({
      memory: () => ({ version: VERSION, marker: this.#marker }),
      mark: ({ input }) => {
        this.#marker = input
      },
      publish: ({ input }) => this.messages.publish(input),
      plain: ({ input }) => this.#run(input),
      slow: ({ input }) => this.#runSoon(input),
      idempotent: ({ input }) => this.#run(input),
      once: ({ input }) => this.#run(input),
      slowOnce: ({ input }) => this.#runSoon(input),
      hang: ({ input }) => {
        this.#run(input)
        return new Promise<string>(() => {})
      },
      echo: ({ input }) => input,
      slowEcho: async ({ input }) => {
        await scheduler.wait(20)
        return input
      },
      events: ({ lastEventId }) => this.messages.subscribe({ lastEventId }),
      read: ({ lastEventId, signal }) => this.#read(lastEventId, signal),
      people: ({ lastEventId }) => this.presence.subscribe({ lastEventId }),
      flood: ({ input: { events, size } }) => this.#flood(events, size),
    })

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    live(ctx.id.name)
  }

  override authenticate({ params }: AuthenticateCall): User {
    return { name: String((params as { name?: string } | undefined)?.name ?? 'nobody') }
  }

  announce(text: string): void {
    this.messages.publish(text)
  }

  /** How often each was run. */
  runs(): Record<string, number> {
    this.#tables()
    const rows = this.ctx.storage.sql.exec<{ name: string; n: number }>('SELECT name, n FROM runs').toArray()
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]))
  }

  /** Ends the object as a crash does: what it knew and what it was about to send is gone. */
  crash(): void {
    this.ctx.abort('crash')
  }

  /** Publishes as much, in events of one size. */
  pour(events: number, size: number): void {
    const text = 'x'.repeat(size)
    for (let n = 0; n < events; n++) this.messages.publish(text)
  }

  /** What there is: in memory, in tables, and of what waits to be sent, the most there has been. */
  count(): Count {
    const { sql } = this.ctx.storage
    // An object that had nothing to write has no tables.
    const rows = (table: string) =>
      sql.exec('SELECT 1 FROM sqlite_master WHERE name = ?', table).toArray().length &&
      sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n
    const sockets = this.ctx.getWebSockets()
    return {
      sockets: sockets.length,
      held: this.held,
      pieces: rows('pairwire_pieces'),
      sessions: rows('pairwire_sessions'),
      flooded: this.#flooded,
      buffered: Math.max(this.#most, this.#buffered()),
    }
  }

  /** Bytes that wait to be sent, on all sockets. */
  #buffered(): number {
    return this.ctx
      .getWebSockets()
      .reduce((sum, ws) => sum + (ws as unknown as { bufferedAmount: number }).bufferedAmount, 0)
  }

  async *#read(lastEventId: string | undefined, signal: AbortSignal): AsyncGenerator<Tracked<string>> {
    for await (const event of this.messages.subscribe({ lastEventId, signal })) yield event
  }

  async *#flood(events: number, size: number): AsyncGenerator<string> {
    const text = 'x'.repeat(size)
    for (; this.#flooded < events; this.#flooded++) {
      this.#most = Math.max(this.#most, this.#buffered())
      yield text
    }
  }

  #tables(): void {
    this.ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, n INTEGER)')
  }

  #run(name: string): string {
    this.#tables()
    this.ctx.storage.sql.exec('INSERT INTO runs VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1', name)
    return name
  }

  async #runSoon(name: string): Promise<string> {
    await scheduler.wait(20)
    return this.#run(name)
  }
}
