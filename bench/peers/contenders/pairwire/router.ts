import { implement, memoryTopic, type Topic } from '@pairwire/server'
import { add, type Tick, tick } from '../../app.ts'
import { bench } from './contract.ts'

/** Made inside a request, since a Worker has no random numbers before. */
export const createRouter = () => {
  const room = memoryTopic<Tick>()
  let full: Topic<Tick>
  return implement(bench).handlers({
    add: ({ input }) => add(input),
    put: ({ input }) => add(input),
    echo: ({ input }) => input,
    order: ({ input }) => input,
    bytes: ({ input }) => input,
    ticks: async function* ({ input }) {
      for (let k = 0; k < input; k++) yield tick(k)
    },
    topic({ input }) {
      full = memoryTopic<Tick>({ retain: input, bytes: Number.POSITIVE_INFINITY })
      return full.subscribe()
    },
    burst({ input }) {
      for (let k = 0; k < input; k++) full.publish(tick(k))
    },
    room: () => room.subscribe(),
    publish({ input }) {
      room.publish(tick(input))
    },
    silence: async function* ({ signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield tick(0)
    },
  })
}
