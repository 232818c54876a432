import { defineContract, implement, mutation, query, subscription, tracked, type } from '@pairwire/server'
import { type AuthenticateCall, durableLedger, durableTopic, RpcDurableObject } from '@pairwire/server/durable'

export const contract = defineContract({
  publish: mutation({ input: type<string>(), output: type<string>() }),
  /** Publishes after a while. */
  publishLate: mutation({ input: type<string>(), output: type<string>() }),
  add: mutation({ input: type<number>(), output: type<number>() }),
  once: mutation({ input: type<number>(), output: type<number>(), retry: 'once' }),
  who: query({ output: type<unknown>() }),
  /** The topic itself. */
  direct: subscription({ output: type<string>() }),
  /** A generator with ids, that notes when it starts and when it is left. */
  ids: subscription({ input: type<string>(), output: type<string>() }),
  /** One that awaits before it subscribes, and between events. */
  late: subscription({ output: type<string>() }),
  /** One without ids. */
  plain: subscription({ output: type<string>() }),
  /** Each event with what its input says, whatever that is. */
  echo: subscription({ input: type<unknown>(), output: type<readonly [input: unknown, event: string]>() }),
  /** Numbers from 1, each as a text of a size, with ids. */
  count: subscription({ input: type<{ n: number; size: number }>(), output: type<string>() }),
  upload: mutation({ inputStream: type<string>(), output: type<string>() }),
  talk: subscription({ input: type<string>(), inputStream: type<string>(), output: type<string>() }),
  /** What the client answers. */
  ask: mutation({ input: type<string>(), output: type<string>() }),
  /** Reads the client's ticks, and nobody waits for it. */
  watch: mutation({}),
  noted: query({ input: type<string>(), output: type<string[]>() }),
})

/** What the object may call on its clients. */
export const clientContract = defineContract({
  name: query({ input: type<string>(), output: type<string>() }),
  ticks: subscription({ output: type<number>() }),
})

export interface User {
  readonly name: string
}

/** What handlers noted, in whichever instance. */
const notes = new Map<string, string[]>()
const note = (key: string, text: string) => void notes.set(key, [...(notes.get(key) ?? []), text])
const subscriptions = 400

/** An object in which everything goes on that may go on when an object is evicted. */
export class Dreamer extends RpcDurableObject<unknown, User, User & { readonly made: string }> {
  readonly #instance = crypto.randomUUID()
  readonly topic = durableTopic<string>(this.ctx, 'topic')
  override readonly options = { limits: { subscriptions }, ledger: durableLedger(this.ctx), heartbeat: 25_000 }
  readonly router = implement(contract)
    .context<User & { readonly made: string }>()
    .client(clientContract)
    .handlers({
      publish: ({ input }) => this.topic.publish(input),
      publishLate: async ({ input }) => {
        await scheduler.wait(5)
        return this.topic.publish(input)
      },
      add: ({ input }) => this.#add(input),
      once: ({ input }) => this.#add(input),
      who: ({ ctx: { name, made } }) => ({ name, isOwn: made === this.#instance }),
      direct: ({ lastEventId }) => this.topic.subscribe({ lastEventId }),
      ids: ({ input, lastEventId, signal }) => noting(input, this.topic.subscribe({ lastEventId, signal })),
      late: ({ lastEventId, signal }) => late(() => this.topic.subscribe({ lastEventId, signal })),
      plain: ({ signal }) => bare(this.topic.subscribe({ signal })),
      echo: ({ input, lastEventId, signal }) => echoing(input, this.topic.subscribe({ lastEventId, signal })),
      async *count({ input: { n, size }, lastEventId }) {
        for (let i = Number(lastEventId ?? 0) + 1; i <= n; i++) yield tracked(`${i}`, `${i}`.padEnd(size, '.'))
      },
      upload: async ({ stream }) => {
        let text = ''
        for await (const item of stream) text += item
        return text
      },
      async *talk({ input, stream }) {
        try {
          for await (const line of stream) yield line.toUpperCase()
        } finally {
          note(input, 'left')
        }
      },
      ask: async ({ input, client }) => `${await client.name(input)} and ${await client.name(input)}`,
      watch: ({ client }) => {
        ;(async () => {
          for await (const _ of client.ticks());
        })().catch(() => {})
      },
      noted: ({ input }) => notes.get(input) ?? [],
    })

  override authenticate({ params }: AuthenticateCall): User {
    return { name: String((params as { name?: string } | undefined)?.name ?? 'nobody') }
  }

  override owner(): string {
    return 'everybody'
  }

  override context({ identity }: { identity: User }): User & { made: string } {
    return { ...identity, made: this.#instance }
  }

  override alarm(): void {
    this.topic.publish('alarm')
  }

  announce(text: string): string {
    return this.topic.publish(text)
  }

  move(): void {
    this.ctx.waitUntil(this.drain({ timeout: 2_000 }))
  }

  async wakeSoon(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + 3_600_000)
  }

  #add(n: number): number {
    const sum = (this.ctx.storage.kv.get<number>('sum') ?? 0) + n
    this.ctx.storage.kv.put('sum', sum)
    return sum
  }
}

type Events = ReturnType<Dreamer['topic']['subscribe']>

const noting = async function* (key: string, events: Events) {
  note(key, 'started')
  try {
    for await (const event of events) yield event
  } finally {
    note(key, 'left')
  }
}
const late = async function* (subscribe: () => Events) {
  await scheduler.wait(5)
  for await (const event of subscribe()) {
    yield event
    await scheduler.wait(1)
  }
}
const bare = async function* (events: Events) {
  for await (const { data } of events) yield data
}
const echoing = async function* (input: unknown, events: Events) {
  for await (const { id, data } of events) yield tracked(id, [input, data] as const)
}
