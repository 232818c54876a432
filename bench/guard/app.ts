// What every check calls: one procedure for each way a value can take. It knows of no host.
import {
  createServer,
  defineContract,
  implement,
  memoryTopic,
  mutation,
  query,
  type RichTypes,
  type Server,
  type StandardSchemaV1,
  subscription,
  type Topic,
  type,
} from '../../packages/server/src/index.ts'

export interface Numbers {
  readonly a: number
  readonly b: number
}
export interface Tick {
  readonly seq: number
  readonly price: number
}

/** How often a value was checked, by schema. */
export const checks = { input: 0, output: 0, event: 0 }

/** A schema that lets everything pass and counts, so that what is measured is not a library's. */
const counted = <T>(name: keyof typeof checks): StandardSchemaV1<T> => ({
  '~standard': {
    version: 1,
    vendor: 'guard',
    validate(value) {
      checks[name]++
      return { value: value as T }
    },
  },
})

export const contract = defineContract({
  add: query({ input: counted<Numbers>('input'), output: counted<number>('output') }),
  /** The same with an effect: its result is kept until the caller has it. */
  put: mutation({ input: counted<Numbers>('input'), output: counted<number>('output') }),
  /** The same in an async handler. */
  later: query({ input: counted<Numbers>('input'), output: counted<number>('output') }),
  echo: query({ input: type<unknown>(), output: type<unknown>() }),
  /** From an async generator. */
  ticks: subscription({ input: type<number>(), output: counted<Tick>('event') }),
  /** From a topic, which `publish` fills. */
  room: subscription({ output: counted<Tick>('event') }),
  publish: mutation({ input: type<number>(), output: type<void>() }),
  /** From an async generator that has nothing to say. */
  silence: subscription({ output: counted<Tick>('event') }),
})
export type Contract = typeof contract

const tick = (seq: number): Tick => ({ seq, price: 101.5 })

/** Made inside a request, since a Worker has no random numbers before. */
export const createRouter = () => {
  const room: Topic<Tick> = memoryTopic<Tick>()
  return implement(contract).handlers({
    add: ({ input }) => input.a + input.b,
    put: ({ input }) => input.a + input.b,
    later: async ({ input }) => input.a + input.b,
    echo: ({ input }) => input,
    async *ticks({ input }) {
      for (let seq = 0; seq < input; seq++) yield tick(seq)
    },
    room: () => room.subscribe(),
    publish({ input }) {
      for (let seq = 0; seq < input; seq++) room.publish(tick(seq))
    },
    async *silence({ signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield tick(0)
    },
  })
}

export const serve = (types?: RichTypes): Server => createServer(createRouter(), { ...(types && { types }) })
