import { defineContract, implement, mutation, query, subscription, type } from '@pairwire/server'
import {
  type AuthenticateCall,
  durableTopic,
  RpcDurableObject,
  type RpcDurableObjectOptions,
} from '@pairwire/server/durable'

/** One run of a mutation: under this name it is counted in storage. */
export interface Run {
  readonly name: string
  /** Characters of the answer. @default its name */
  readonly size?: number
  /** Answers when the gate of this name opens. */
  readonly gate?: string
}

export const contract = defineContract({
  run: mutation({ input: type<Run>(), output: type<string>() }),
  idempotent: mutation({ input: type<Run>(), output: type<string>(), retry: 'idempotent' }),
  once: mutation({ input: type<Run>(), output: type<string>(), retry: 'once' }),
  look: query({ input: type<Run>(), output: type<string>() }),
  sum: mutation({ inputStream: type<number>(), output: type<number>() }),
  who: query({ output: type<unknown>() }),
  publish: mutation({ input: type<string>(), output: type<string>() }),
  /** Tracked: the topic itself. */
  topic: subscription({ output: type<string>() }),
  /** Tracked: through a generator. */
  ids: subscription({ output: type<string>() }),
  /** Untracked, and takes its time behind each event. */
  plain: subscription({ output: type<string>() }),
  /** What stands still in a handler, under the name of a gate. */
  hang: subscription({ input: type<string>(), output: type<string>() }),
  /** Untracked, by what the client says; it waits for a gate at each item. */
  talk: subscription({ input: type<string>(), inputStream: type<string>(), output: type<string>() }),
  /** Throws where it is told to, by `Prober.broken`. */
  broken: subscription({ output: type<string>() }),
  /** With a large input, and nothing to say. */
  quiet: subscription({ input: type<unknown>(), output: type<string>() }),
})

export interface User {
  readonly name: string
  readonly role?: string
}

/** What a test tells an object, by its name; it lies in the module, and outlives the object. */
export interface Orders {
  options?: RpcDurableObjectOptions<User, unknown>
  authenticate?(call: AuthenticateCall): User | Promise<User>
  owner?(user: User): unknown
  context?(user: User): unknown
  /** Waited for by the constructor. */
  init?(): Promise<void>
  noRouter?: boolean
}

/** A Durable Object that does as a test tells it. */
export class Prober extends RpcDurableObject<unknown, User, unknown> {
  static readonly orders: Map<string, Orders> = new Map()
  static readonly errors: Map<string, unknown[]> = new Map()
  /** What handlers noted, by the object's name. */
  static readonly notes: Map<string, string[]> = new Map()
  /** Gates that are open for good, by the object's name and theirs. */
  static readonly opened: Set<string> = new Set()
  /** Objects whose `broken` throws. */
  static readonly broken: Set<string> = new Set()
  readonly #gates = new Map<string, { promise: Promise<void>; open(): void }>()
  readonly #name = `${this.ctx.id.name}`
  readonly #orders = Prober.orders.get(this.#name) ?? {}
  isReady = !this.#orders.init
  readonly topic = durableTopic<string>(this.ctx, 'topic')
  override readonly options: RpcDurableObjectOptions<User, unknown> = {
    onError: ({ error }) => void noted(Prober.errors, this.#name).push(error),
    ...this.#orders.options,
  }
  readonly router = (this.#orders.noRouter ? undefined : this.implement()) as ReturnType<Prober['implement']>

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    const { init } = this.#orders
    if (init)
      ctx.blockConcurrencyWhile(async () => {
        await init()
        this.isReady = true
      })
  }

  implement() {
    return implement(contract)
      .context<unknown>()
      .handlers({
        run: ({ input }) => this.#run(input),
        idempotent: ({ input }) => this.#run(input),
        once: ({ input }) => this.#run(input),
        look: ({ input }) => this.#run(input),
        sum: async ({ stream }) => {
          let sum = 0
          for await (const n of stream) sum += n
          return sum
        },
        who: ({ ctx }) => ctx,
        publish: ({ input }) => this.topic.publish(input),
        topic: ({ lastEventId }) => {
          this.note(this.isReady ? 'topic' : 'topic too early')
          return this.topic.subscribe({ lastEventId })
        },
        ids: ({ lastEventId, signal }) => this.#ids(lastEventId, signal),
        plain: ({ signal }) => this.#plain(signal),
        hang: ({ input }) => this.#hang(input),
        talk: ({ input, stream }) => this.#talk(input, stream),
        broken: ({ signal }) => {
          if (Prober.broken.has(this.#name)) throw new Error('broken at wake-up')
          return this.#quiet(signal)
        },
        quiet: ({ signal }) => this.#quiet(signal),
      })
  }

  #run({ name, size = 0, gate: waited }: Run): string | Promise<string> {
    const { kv } = this.ctx.storage
    kv.put(`run ${name}`, (kv.get<number>(`run ${name}`) ?? 0) + 1)
    const answer = name.padEnd(size, '.')
    return waited ? this.#gate(waited).promise.then(() => answer) : answer
  }

  async *#ids(lastEventId: string | undefined, signal: AbortSignal) {
    try {
      yield* this.topic.subscribe({ lastEventId, signal })
    } finally {
      this.note('left ids')
    }
  }

  async *#plain(signal: AbortSignal) {
    try {
      for await (const { data } of this.topic.subscribe({ signal })) {
        yield data
        await scheduler.wait(2)
      }
    } finally {
      this.note('left plain')
    }
  }

  async *#hang(name: string) {
    this.note(`hang ${name}`)
    await this.#gate(name).promise
    yield name
  }

  async *#talk(name: string, stream: AsyncIterable<string>) {
    for await (const line of stream) {
      this.note(`heard ${line}`)
      await this.#gate(name).promise
      yield line
    }
  }

  async *#quiet(signal: AbortSignal) {
    for await (const { data } of this.topic.subscribe({ signal })) if (data === 'shout') yield data
  }

  #gate(name: string): { promise: Promise<void>; open(): void } {
    let known = this.#gates.get(name)
    if (!known) {
      let open = () => {}
      const promise = new Promise<void>((resolve) => {
        open = resolve
      })
      known = { promise, open }
      if (Prober.opened.has(`${this.#name} ${name}`)) open()
      this.#gates.set(name, known)
    }
    return known
  }

  /** Lets go on what waits for this gate, and what will. */
  open(name: string): void {
    Prober.opened.add(`${this.#name} ${name}`)
    this.#gate(name).open()
  }

  note(text: string): void {
    noted(Prober.notes, this.#name).push(text)
  }

  override authenticate(call: AuthenticateCall): User | Promise<User> {
    if (this.#orders.authenticate) return this.#orders.authenticate(call)
    return (call.params ?? call.identity ?? { name: 'nobody' }) as User
  }

  override owner(user: User): unknown {
    return this.#orders.owner ? this.#orders.owner(user) : user.name
  }

  override context({ identity }: { identity: User }): unknown {
    return this.#orders.context ? this.#orders.context(identity) : identity
  }

  announce(text: string): string {
    return this.topic.publish(text)
  }

  /** How often mutations of this name ran. */
  runs(name: string): number {
    return this.ctx.storage.kv.get<number>(`run ${name}`) ?? 0
  }

  holds(): { sockets: number; sessions: number; calls: number; results: number; resultBytes: number } {
    return { ...this.held }
  }

  /** Rows in the tables of ours. */
  rows(): { pieces: number; sessions: number } {
    const count = (table: string) =>
      this.ctx.storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n
    try {
      return { pieces: count('pairwire_pieces'), sessions: count('pairwire_sessions') }
    } catch {
      return { pieces: 0, sessions: 0 }
    }
  }

  async empty(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }

  move(timeout = 1_000): Promise<void> {
    return this.drain({ timeout })
  }

  crash(): void {
    this.ctx.abort('a deploy')
  }
}

const noted = <T>(lists: Map<string, T[]>, name: string): T[] => {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
}
