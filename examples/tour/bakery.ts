import { DurableObject } from 'cloudflare:workers'
import { createServer, implement, memoryTopic } from '@pairwire/server'
import { bakery, type Runs } from './contract.ts'

/** How long everything takes here, in milliseconds. */
const WHILE = 100

/**
 * A Durable Object serves all its sockets from one place: who lost one finds here, through the next one, what goes on and
 * what has ended meanwhile.
 */
export class Bakery extends DurableObject {
  readonly #runs: Runs = { bake: 0, preheat: 0, stock: 0, pay: 0 }
  readonly #loaves = memoryTopic<number>()
  #stock = 0

  readonly #server = createServer(
    implement(bakery).handlers({
      bake: async () => {
        this.#runs.bake++
        await scheduler.wait(WHILE)
        return { loaf: this.#loaves.publish(++this.#stock) }
      },
      preheat: async ({ input }) => {
        this.#runs.preheat++
        await scheduler.wait(WHILE)
        return { degrees: input.to }
      },
      stock: async () => {
        this.#runs.stock++
        await scheduler.wait(WHILE)
        return this.#stock
      },
      pay: async () => {
        const receipt = ++this.#runs.pay
        await scheduler.wait(WHILE)
        return { receipt }
      },
      // Its events have ids: after a lost connection they go on behind the last one.
      baked: ({ lastEventId, signal }) => this.#loaves.subscribe({ lastEventId, signal }),
      // These have none.
      oven: async function* ({ signal }) {
        for (let degrees = 20; !signal.aborted; degrees++) {
          yield degrees
          await scheduler.wait(10)
        }
      },
      runs: () => this.#runs,
    }),
  )

  override fetch(request: Request): Response {
    return this.#server.fetch(request)
  }
}
