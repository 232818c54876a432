import { cursor, defineContract, subscription, type Tracked, tracked, type } from '@pairwire/contract'
import { implement } from '@pairwire/router'
import { memoryTopic } from './memory-topic.ts'
import type { Topic, TopicEvents, TopicSubscription } from './topic.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._check: Equal<Actual, Expected> extends true ? [] : ['another type']): void => {}

type Change = { kind: 'all'; items: string[] } | { kind: 'added'; item: string }
const topic = memoryTopic<Change>({ retain: 10, bytes: undefined, age: 1_000 })
expectType<Topic<Change>>()(topic)
expectType<string>()(topic.cursor)
const events = topic.subscribe()
expectType<TopicEvents<Change>>()(events)
expectType<string | undefined>()(events.cursor)
for await (const event of events) expectType<Tracked<Change>>()(event)

// A snapshot is one of the events, at once or later.
topic.subscribe({ snapshot: () => ({ kind: 'all', items: [] }) })
topic.subscribe({ snapshot: async () => ({ kind: 'all', items: [] }) })
topic.subscribe({ lastEventId: undefined, signal: undefined, snapshot: undefined })
// @ts-expect-error not an event
topic.subscribe({ snapshot: () => ({ kind: 'none' }) })
// @ts-expect-error read only
topic.cursor = ''
// @ts-expect-error a number of events
memoryTopic({ retain: '10' })
const from: TopicSubscription = { lastEventId: '1' }
topic.subscribe({ ...from, snapshot: undefined })

// A handler returns its events, or goes through them.
const contract = defineContract({
  returned: subscription({ output: type<Change>() }),
  filtered: subscription({ input: type<string>(), output: type<string>() }),
})
implement(contract).handlers({
  returned: ({ lastEventId }) => topic.subscribe({ lastEventId, snapshot: async () => ({ kind: 'all', items: [] }) }),
  async *filtered({ input, lastEventId, signal }) {
    const events = topic.subscribe({ lastEventId, signal })
    if (events.cursor) yield cursor(events.cursor)
    for await (const { id, data } of events)
      if (data.kind === 'added' && data.item !== input) yield tracked(id, data.item)
  },
})
// @ts-expect-error other events
implement(defineContract({ one: subscription({ output: type<string>() }) })).handlers({ one: () => topic.subscribe() })
