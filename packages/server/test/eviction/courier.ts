import { type DrainOptions, RpcError, type Topic } from '@pairwire/server'
import { durableLedger, durableTopic, RpcDurableObject, type RpcDurableObjectOptions } from '@pairwire/server/durable'
import { type Ctx, createRouter } from '../../../client/test/delivery/router.ts'
import { createState, type State } from '../../../client/test/delivery/state.ts'

/** What a client may say as `params`. */
export interface Params {
  user?: string
  role?: string
  refuse?: string
}
type Identity = Pick<Ctx, 'user' | 'role'>

/** What handlers saw, by the object's name: it outlives an eviction, and the object's end. */
const states = new Map<string, State>()
export const stateOf = (name: string): State => {
  const state = states.get(name) ?? createState()
  states.set(name, state)
  return state
}

const opened = new Set<string>()

/** The server of the tests of lost connections, as an object that hibernates; its topics and its ledger lie in its storage. */
export class Courier extends RpcDurableObject<unknown, Identity, Ctx> {
  readonly #name = `${this.ctx.id.name}`
  readonly #state = stateOf(this.#name)
  /** A name begins with the options of its object, as JSON. */
  override readonly options: RpcDurableObjectOptions<Identity, unknown> = {
    ...JSON.parse(this.#name.split('\n')[0]!),
    ledger: durableLedger(this.ctx),
  }
  /** A promise of an instance that is gone must not be resolved by another. */
  readonly #gates = createState()
  readonly router = createRouter({
    ...this.#state,
    gate: (key) => (opened.has(`${this.#name} ${key}`) ? Promise.resolve() : this.#gates.gate(key)),
    topic: (key) => this.#topic(key),
  })
  #turn = 0

  override authenticate({ params }: { params: unknown }): Identity {
    const { user = 'ann', role = 'admin', refuse } = (params ?? {}) as Params
    if (refuse) throw new RpcError(refuse, 'as asked')
    return { user, role }
  }

  override owner({ user }: Identity): string {
    return user
  }

  override context({ identity }: { identity: Identity }): Ctx {
    return { ...identity, turn: ++this.#turn }
  }

  publish(topic: string, events: number[]): void {
    for (const event of events) this.#topic(topic).publish(event)
  }

  open(key: string): void {
    opened.add(`${this.#name} ${key}`)
    this.#gates.open(key)
  }

  openAll(): void {
    this.#gates.openAll()
  }

  move(options: DrainOptions = {}): void {
    this.ctx.waitUntil(this.drain({ timeout: 5_000, ...options }))
  }

  crash(): void {
    this.ctx.abort('a crash, as asked')
  }

  get results(): number {
    return this.held.results
  }

  #topic(key: string): Topic<number> {
    return durableTopic<number>(this.ctx, key)
  }
}
