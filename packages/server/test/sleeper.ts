import { defineContract, implement, mutation, query, subscription, type } from '@pairwire/server'
import { type AuthenticateCall, durableTopic, RpcDurableObject } from '@pairwire/server/durable'

export const contract = defineContract({
  publish: mutation({ input: type<string>(), output: type<string>() }),
  add: mutation({ input: type<number>(), output: type<number>() }),
  slow: mutation({ input: type<number>(), output: type<number>() }),
  once: mutation({ input: type<number>(), output: type<number>(), retry: 'once' }),
  who: query({ output: type<unknown>() }),
  instance: query({ output: type<string>() }),
  ready: query({ output: type<string[]>() }),
  seesReady: subscription({ output: type<string>() }),
  /** The topic itself. */
  direct: subscription({ output: type<string>() }),
  /** A generator with ids. */
  ids: subscription({ output: type<string>() }),
  /** One that awaits before it subscribes. */
  late: subscription({ output: type<string>() }),
  /** One without ids. */
  plain: subscription({ output: type<string>() }),
  /** One that yields something of its own first. */
  greeting: subscription({ output: type<string>() }),
  talk: subscription({ inputStream: type<string>(), output: type<string>() }),
  left: query({ output: type<string[]>() }),
})

interface User {
  readonly name: string
}

const left: string[] = []

/** An object that sleeps whenever a test says so. */
export class Sleeper extends RpcDurableObject<unknown, User> {
  readonly #instance = crypto.randomUUID()
  readonly topic = durableTopic<string>(this.ctx, 'topic')
  readonly router = implement(contract)
    .context<User>()
    .handlers({
      publish: ({ input }) => this.topic.publish(input),
      add: ({ input }) => this.#add(input),
      slow: async ({ input }) => {
        await scheduler.wait(100)
        return this.#add(input)
      },
      once: ({ input }) => this.#add(input),
      who: ({ ctx }) => ctx,
      instance: () => this.#instance,
      ready: () => this.ready,
      seesReady: async function* (this: void, { signal }) {
        yield readyOf().join()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      },
      direct: ({ lastEventId }) => this.topic.subscribe({ lastEventId }),
      ids: async function* (this: void, { lastEventId, signal }) {
        try {
          for await (const event of topicOf().subscribe({ lastEventId, signal })) yield event
        } finally {
          left.push('ids')
        }
      },
      late: async function* (this: void, { lastEventId, signal }) {
        await scheduler.wait(20)
        yield* topicOf().subscribe({ lastEventId, signal })
      },
      plain: async function* (this: void, { signal }) {
        for await (const { data } of topicOf().subscribe({ signal })) yield data
      },
      greeting: async function* (this: void, { signal }) {
        yield 'hello'
        for await (const { data } of topicOf().subscribe({ signal })) yield data
      },
      talk: async function* (this: void, { stream }) {
        for await (const line of stream) yield line.toUpperCase()
      },
      left: () => left,
    })

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    topicOf = () => this.topic
    readyOf = () => this.ready
  }

  /** What `setup` has made ready. */
  readonly ready: string[] = []

  override async setup(): Promise<void> {
    await scheduler.wait(5)
    this.ready.push('setup')
  }

  override authenticate({ params }: AuthenticateCall): User {
    return { name: String((params as { name?: string } | undefined)?.name ?? 'nobody') }
  }

  announce(text: string): string {
    return this.topic.publish(text)
  }

  #add(n: number): number {
    const sum = (this.ctx.storage.kv.get<number>('sum') ?? 0) + n
    this.ctx.storage.kv.put('sum', sum)
    return sum
  }
}
let topicOf: () => Sleeper['topic']
let readyOf: () => string[]
