import { isRpcError } from '@pairwire/contract'
import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { type MemoryTopicOptions, memoryTopic } from './memory-topic.ts'
import type { Topic, TopicEvents } from './topic.ts'
import { weigh } from './weigh.ts'

afterEach(() => vi.restoreAllMocks())

/** An event is its own offset. A snapshot is the offset of the last event when it was taken. */
interface Value {
  offset: number
  text?: string
  snapshot?: true
}
interface Load {
  taken: number
  state: 'loading' | 'loaded' | 'failed'
  settle(fails: boolean): void
}
type Outcome = Value | 'done' | 'lost' | 'failed'

/** What an event takes besides its value. */
const ENTRY = 128

/** What is retained, worked out by going over everything that was ever published. */
class Model {
  readonly #published: { weight: number; at: number }[] = []
  readonly #options: { retain: number; bytes: number; age: number }
  /** The offset of the oldest event that is retained. */
  first = 1
  now = 1_000

  constructor({ retain = 1_000, bytes = 2 ** 24, age = Infinity }: MemoryTopicOptions) {
    this.#options = { retain, bytes, age }
  }

  get last() {
    return this.#published.length
  }

  publish(value: Value) {
    this.#published.push({ weight: ENTRY + weigh(value), at: this.now })
    const { retain, bytes } = this.#options
    const isOver = () => {
      const kept = this.#published.slice(this.first - 1)
      const total = kept.reduce((sum, { weight }) => sum + weight, 0)
      return kept.length > retain || (kept.length > 1 && total > bytes)
    }
    while (isOver()) this.first++
  }

  pass(time: number) {
    this.now += time
    const isOld = () => this.first <= this.last && this.now - this.#published[this.first - 1]!.at > this.#options.age
    while (isOld()) this.first++
  }
}

/** A subscriber that knows what it may be told, and what not. */
class Subscriber {
  readonly #model: Model
  readonly #snapshots: boolean
  readonly #events: TopicEvents<Value>
  readonly #controller = new AbortController()
  readonly #loads: Load[] = []
  /** Of each time it asked. */
  readonly #outcomes: (Outcome | undefined)[] = []
  #judged = 0
  /** The offset of what has to come next, unless it is lost. */
  #expected: number | undefined
  #ended = false

  constructor(topic: Topic<Value>, model: Model, lastEventId: string | undefined, snapshots: boolean) {
    this.#model = model
    this.#snapshots = snapshots
    const epoch = topic.cursor.split('.')[0]
    const positions = Array.from({ length: model.last - model.first + 2 }, (_, i) => model.first - 1 + i)
    const known = positions.find((offset) => `${epoch}.${offset}` === lastEventId)
    if (known !== undefined) this.#expected = known + 1
    else if (lastEventId === undefined && !snapshots) this.#expected = model.last + 1
    const snapshot = () =>
      new Promise<Value>((resolve, reject) => {
        expect(this.#isLost).toBe(true)
        expect(this.#loads.at(-1)?.state).not.toBe('loading')
        const load: Load = {
          taken: model.last,
          state: 'loading',
          settle(fails) {
            load.state = fails ? 'failed' : 'loaded'
            if (fails) reject(new Error('failed'))
            else resolve({ offset: load.taken, snapshot: true })
          },
        }
        this.#loads.push(load)
      })
    this.#events = topic.subscribe({
      lastEventId,
      signal: this.#controller.signal,
      snapshot: snapshots ? snapshot : undefined,
    })
    expect(this.#events.cursor).toBe(this.#expected === undefined ? undefined : `${epoch}.${this.#expected - 1}`)
  }

  get #isLost() {
    return this.#expected === undefined || this.#expected < this.#model.first
  }

  ask() {
    const index = this.#outcomes.push(undefined) - 1
    this.#events.next().then(
      ({ done, value }) => {
        if (!done) expect(value.id.split('.')[1]).toBe(String(value.data.offset))
        this.#outcomes[index] = done ? 'done' : value.data
      },
      (error) => {
        this.#outcomes[index] = isRpcError(error) && error.code === 'DATA_LOSS' ? 'lost' : 'failed'
      },
    )
  }

  settle(fails: boolean) {
    const load = this.#loads.at(-1)
    if (load?.state === 'loading') load.settle(fails)
  }

  leave(aborts: boolean) {
    if (aborts) this.#controller.abort()
    else void this.#events.return!()
    this.#ended = true
  }

  /** Judges what it was told since it was last asked to, by what there was to tell. */
  judge() {
    while (this.#judged < this.#outcomes.length && this.#outcomes[this.#judged] !== undefined)
      this.#accept(this.#outcomes[this.#judged++]!)
    const waits = this.#outcomes.slice(this.#judged)
    // Who asked first is answered first.
    expect(waits.filter((outcome) => outcome !== undefined)).toEqual([])
    if (waits.length === 0) return
    // Nobody waits in vain.
    expect(this.#ended).toBe(false)
    if (this.#loads.at(-1)?.state !== 'loading') expect(this.#expected).toBe(this.#model.last + 1)
  }

  #accept(outcome: Outcome) {
    if (this.#ended) {
      expect(outcome).toBe('done')
      return
    }
    const { first } = this.#model
    const load = this.#loads.at(-1)
    if (outcome === 'lost') {
      expect(this.#isLost).toBe(true)
      // Not before it was overtaken three times.
      const overtaken = this.#loads.slice(-3).filter(({ taken, state }) => taken + 1 < first && state === 'loaded')
      expect(overtaken).toHaveLength(this.#snapshots ? 3 : 0)
      this.#ended = true
    } else if (outcome === 'failed') {
      expect(load?.state).toBe('failed')
      this.#ended = true
    } else {
      expect(outcome).toEqual(
        this.#isLost ? { offset: load?.taken, snapshot: true } : { offset: this.#expected, text: expect.any(String) },
      )
      const { offset } = outcome as Value
      expect(offset).toBeGreaterThanOrEqual(this.#isLost ? first - 1 : first)
      this.#expected = offset + 1
    }
  }
}

const who = fc.nat(5)
const lastEventId = fc.option(
  fc.oneof({ weight: 5, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.constantFrom('', 'x', '-1', '01', '1 ') }),
  { nil: undefined },
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('publish' as const), size: fc.nat(300) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('subscribe' as const), lastEventId, snapshots: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('ask' as const), who }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('settle' as const), who, fails: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), who, aborts: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pass' as const), time: fc.nat(60) }) },
)
const options = fc.record({
  retain: fc.constantFrom(undefined, 1, 2, 5),
  bytes: fc.constantFrom(undefined, 1, 600, 2_000),
  age: fc.constantFrom(undefined, 1, 50),
})

it('does what a log does that has all the time and memory of the world', async () => {
  const now = vi.spyOn(Date, 'now')
  await fc.assert(
    fc.asyncProperty(options, fc.array(step, { maxLength: 60, size: 'max' }), async (options, steps) => {
      const model = new Model(options)
      now.mockImplementation(() => model.now)
      const topic = memoryTopic<Value>(options)
      const epoch = topic.cursor.slice(0, -2)
      const subscribers: Subscriber[] = []
      const one = (index: number) => subscribers[index % subscribers.length]
      for (const step of steps) {
        if (step.type === 'publish') {
          const value = { offset: model.last + 1, text: 'x'.repeat(step.size) }
          model.publish(value)
          topic.publish(value)
        } else if (step.type === 'subscribe') {
          const id = step.lastEventId === undefined ? undefined : `${epoch}.${step.lastEventId}`
          subscribers.push(new Subscriber(topic, model, id, step.snapshots))
        } else if (step.type === 'ask') one(step.who)?.ask()
        else if (step.type === 'settle') one(step.who)?.settle(step.fails === 0)
        else if (step.type === 'leave') one(step.who)?.leave(step.aborts)
        else model.pass(step.time)
        expect(topic.cursor).toBe(`${epoch}.${model.last}`)
        // As long as anything that has been settled takes to get through.
        for (let turn = 0; turn < 10; turn++) await null
        for (const subscriber of subscribers) subscriber.judge()
      }
    }),
    { numRuns: 1_500 },
  )
})
