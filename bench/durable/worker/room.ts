import { durableLedger, durableTopic, RpcDurableObject } from '../../../packages/server/src/durable.ts'
import { implement } from '../../../packages/server/src/index.ts'
import { contract } from './contract.ts'

/** As an application would write it. */
export class Room extends RpcDurableObject {
  readonly topic = durableTopic<string>(this.ctx, 'topic')
  override readonly options = { ledger: durableLedger(this.ctx) }
  readonly router = implement(contract).handlers({
    echo: ({ input }) => input,
    write: ({ input }) => this.#write(input),
    writeSoon: async ({ input }) => {
      await scheduler.wait(1)
      this.#write(input)
    },
    once: ({ input }) => this.#write(input),
    onceSoon: async ({ input }) => {
      await scheduler.wait(1)
      this.#write(input)
    },
    nothing: () => {},
    post: ({ input }) => void this.topic.publish(input),
    events: ({ lastEventId }) => this.topic.subscribe({ lastEventId }),
  })

  announce(text: string): void {
    this.topic.publish(text)
  }

  prepare(): void {
    this.ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS effects (id INTEGER PRIMARY KEY, text TEXT)')
  }

  #write(text: string): void {
    this.ctx.storage.sql.exec('INSERT INTO effects (text) VALUES (?)', text)
  }
}
