import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { isRpcError } from '@pairwire/contract'
import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import type { Topic, TopicEvents } from '../topic.ts'
import { durableTopic } from './durable-topic.ts'
import { placesOf } from './places.ts'

afterEach(() => vi.restoreAllMocks())

/** An event has a number that no other has, also where its offset is used again. A snapshot is how far the log had come. */
interface Value {
  n: number
  text?: string
}
interface Retention {
  retain: number
  bytes: number
  age: number
}
type Outcome = { id: string; data: Value } | 'done' | 'lost'

/** What an event takes besides its JSON. */
const ROW = 32
const numberOf = (id: string) => Number(id.slice(id.indexOf('.') + 1))

/** All that was published and not undone, and what of it is retained: found by looking at everything. */
class Model {
  readonly #retention: Retention
  #published: (Value & { at: number; size: number })[] = []
  #numbers = 0
  now = 1_000
  /** What was retained when this turn began. */
  before = 1

  constructor(retention: Retention) {
    this.#retention = retention
  }

  get last() {
    return this.#published.length
  }

  get first() {
    const { retain, bytes, age } = this.#retention
    let first = this.last + 1
    let taken = 0
    for (const { at, size } of [...this.#published].reverse()) {
      taken += size
      if (this.now - at > age || this.last - first + 1 >= retain || (taken > bytes && first <= this.last)) break
      first--
    }
    return first
  }

  at(offset: number) {
    return this.#published[offset - 1]
  }

  publish(topic: Topic<Value>, size: number) {
    const value = { n: this.#numbers++, text: 'x'.repeat(size) }
    this.#published.push({ ...value, at: this.now, size: ROW + JSON.stringify(value).length })
    expect(topic.publish(value)).toBe(value)
  }

  undo(last: number) {
    this.#published.length = last
  }
}

/** A subscriber that knows what it may be told, and what not. */
class Subscriber {
  readonly #model: Model
  readonly #snapshots: boolean
  readonly #events: TopicEvents<Value>
  readonly #controller = new AbortController()
  readonly #outcomes: (Outcome | undefined)[] = []
  #judged = 0
  #asked = 0
  /** The offset of what has to come next, unless that is lost; and what was given when this turn began. */
  #expected: number | undefined
  #given: string | undefined
  #position: () => string | undefined = () => undefined
  #stood: string | undefined
  ended = false

  constructor(topic: Topic<Value>, model: Model, from: { lastEventId?: string; place?: string }, snapshots: boolean) {
    this.#model = model
    this.#snapshots = snapshots
    const { signal } = this.#controller
    placesOf.set(signal, {
      take: () => from.place,
      stand: (_, position) => {
        this.#position = position
        return () => {}
      },
    })
    const id = from.lastEventId ?? from.place
    this.#events = topic.subscribe({
      lastEventId: from.lastEventId,
      signal,
      snapshot: snapshots ? async () => ({ n: model.last }) : undefined,
    })
    if (id === undefined) this.#expected = snapshots ? undefined : model.last + 1
    else if (id.startsWith(topic.cursor.replace(/\d+$/, '')) && numberOf(id) <= model.last)
      this.#expected = numberOf(id) + 1
    this.#stood = this.#position()
    if (this.#expected !== undefined && this.#expected >= model.first)
      expect(this.#events.cursor).toBe(topic.cursor.replace(/\d+$/, `${this.#expected - 1}`))
  }

  get place() {
    return this.#position()
  }

  get snapshots() {
    return this.#snapshots
  }

  /** All was deleted. */
  lose() {
    this.#expected = undefined
  }

  /** It began in what was undone. */
  rewind() {
    this.#expected = this.#model.last + 1
    this.#stood = this.#position()
  }

  ask() {
    this.#asked++
    const index = this.#outcomes.push(undefined) - 1
    this.#events.next().then(
      ({ done, value }) => {
        this.#outcomes[index] = done ? 'done' : { id: value.id, data: value.data }
      },
      (error) => {
        this.#outcomes[index] = isRpcError(error) && error.code === 'DATA_LOSS' ? 'lost' : undefined
        if (!this.#outcomes[index]) throw error
      },
    )
  }

  leave(aborts: boolean) {
    if (aborts) this.#controller.abort()
    else void this.#events.return!()
    this.ended = true
  }

  /** Judges what it was told in this turn, by what there was to tell. */
  judge(cursor: string) {
    const before = this.#given
    while (this.#judged < this.#outcomes.length && this.#outcomes[this.#judged] !== undefined)
      this.#accept(this.#outcomes[this.#judged++]!, cursor)
    const waits = this.#outcomes.slice(this.#judged)
    // Who asked first is answered first; nobody waits in vain.
    expect(waits.filter((outcome) => outcome !== undefined)).toEqual([])
    if (waits.length > 0) {
      expect(this.ended).toBe(false)
      expect(this.#expected).toBe(this.#model.last + 1)
    }
    const position = this.#position()
    if (this.#asked === 0) expect(position).toBe(this.#stood)
    else if (before !== undefined && position !== undefined && position.split('.')[0] === before.split('.')[0])
      expect(numberOf(position)).toBeGreaterThanOrEqual(numberOf(before))
    this.#asked = 0
    this.#stood = position
  }

  #accept(outcome: Outcome, cursor: string) {
    const { first, before, last } = this.#model
    if (outcome === 'done') {
      expect(this.ended).toBe(true)
    } else if (outcome === 'lost') {
      if (this.ended) return
      expect(this.#expected === undefined || this.#expected < first).toBe(true)
      expect(this.#snapshots && this.#model.first === before).toBe(false)
      this.ended = true
    } else {
      const { id, data } = outcome
      this.#given = id
      expect(id.split('.')[0]).toBe(cursor.split('.')[0])
      const offset = numberOf(id)
      if (data.text === undefined) {
        // A snapshot, where it is due.
        expect(this.#expected === undefined || this.#expected < first).toBe(true)
        expect([data.n, offset <= last, offset >= before - 1]).toEqual([offset, true, true])
      } else {
        expect(offset).toBe(this.#expected)
        expect(offset).toBeGreaterThanOrEqual(Math.min(before, first))
        expect(data).toEqual({ n: this.#model.at(offset)!.n, text: this.#model.at(offset)!.text })
      }
      this.#expected = offset + 1
    }
  }
}

const who = fc.nat(5)
const size = fc.nat(300)
const from = fc.oneof(
  fc.constant({ type: 'now' as const }),
  fc.record({ type: fc.constant('back' as const), by: fc.nat(12) }),
  fc.constant({ type: 'wrong' as const }),
)
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('publish' as const), size }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('burst' as const), count: fc.nat(150) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('undo' as const),
      sizes: fc.array(size, { minLength: 1, maxLength: 3 }),
      subscribes: fc.boolean(),
      asks: fc.option(who, { nil: undefined }),
      inner: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('subscribe' as const), from, snapshots: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('ask' as const), who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), who, aborts: fc.boolean() }) },
)
const turn = fc.oneof(
  { weight: 10, arbitrary: fc.array(action, { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: fc.constant('evict' as const) },
  { weight: 1, arbitrary: fc.constant('deleteAll' as const) },
  { weight: 1, arbitrary: fc.record({ pass: fc.nat(60) }) },
)
const retention = fc.record({
  retain: fc.constantFrom(Infinity, 1, 2, 5, 100),
  bytes: fc.constantFrom(Infinity, 1, 600, 2_000),
  age: fc.constantFrom(Infinity, 1, 50),
})

it('does what a log does that has all the time and storage of the world, and never sleeps', {
  timeout: 120_000,
}, async () => {
  const now = vi.spyOn(Date, 'now')
  let undone = 0
  let evicted = 0
  await fc.assert(
    fc.asyncProperty(retention, fc.array(turn, { maxLength: 30, size: 'max' }), async (retention, turns) => {
      const model = new Model(retention)
      now.mockImplementation(() => model.now)
      const stub = env.OBJECT.getByName(crypto.randomUUID())
      await runInDurableObject(stub, (_, state) => durableTopic(state, 'a', retention).cursor)
      let subscribers: Subscriber[] = []
      const one = (index: number) => subscribers[index % subscribers.length]
      const act = (
        step: typeof action extends fc.Arbitrary<infer A> ? A : never,
        topic: Topic<Value>,
        storage: DurableObjectStorage,
      ) => {
        if (step.type === 'publish') model.publish(topic, step.size)
        else if (step.type === 'burst') for (let n = 0; n < step.count; n++) model.publish(topic, 0)
        else if (step.type === 'ask') one(step.who)?.ask()
        else if (step.type === 'leave') one(step.who)?.leave(step.aborts)
        else if (step.type === 'subscribe') {
          const [epoch] = topic.cursor.split('.')
          const offset = step.from.type === 'back' ? Math.max(0, model.last - step.from.by) : model.last + 1
          const lastEventId = step.from.type === 'now' ? {} : { lastEventId: `${epoch}.${offset}` }
          subscribers.push(new Subscriber(topic, model, lastEventId, step.snapshots))
        } else {
          const kept = model.last
          const begun: Subscriber[] = []
          const undo = () => {
            for (const size of step.sizes) model.publish(topic, size)
            if (step.subscribes) begun.push(new Subscriber(topic, model, {}, false))
            if (step.asks !== undefined) one(step.asks)?.ask()
            throw new Error('back')
          }
          const roll = () => expect(() => storage.transactionSync(undo)).toThrow('back')
          if (step.inner) storage.transactionSync(roll)
          else roll()
          model.undo(kept)
          for (const subscriber of begun) subscriber.rewind()
          subscribers.push(...begun)
          undone++
        }
      }
      for (const turn of turns) {
        model.before = model.first
        if (turn === 'evict') {
          const places = subscribers.filter(({ ended }) => !ended).map(({ place, snapshots }) => ({ place, snapshots }))
          await evictDurableObject(stub)
          evicted++
          await runInDurableObject(stub, (_, state) => {
            const topic = durableTopic<Value>(state, 'a', retention)
            subscribers = places.map(({ place, snapshots }) => {
              return new Subscriber(topic, model, place === undefined ? {} : { place }, snapshots)
            })
          })
          continue
        }
        await runInDurableObject(stub, async (_, state) => {
          const topic = durableTopic<Value>(state, 'a', retention)
          if (turn === 'deleteAll') {
            const { cursor } = topic
            await state.storage.deleteAll()
            model.undo(0)
            model.before = 1
            expect(topic.cursor).not.toBe(cursor)
            for (const subscriber of subscribers) subscriber.lose()
          } else if (Array.isArray(turn)) for (const step of turn) act(step, topic, state.storage)
          else model.now += turn.pass
          // As long as anything that has been settled takes to get through.
          for (let turn = 0; turn < 20; turn++) await null
          const { cursor } = topic
          expect(numberOf(cursor)).toBe(model.last)
          for (const subscriber of subscribers) subscriber.judge(cursor)
        })
      }
    }),
    { numRuns: 120 },
  )
  expect([undone > 100, evicted > 100]).toEqual([true, true])
})
