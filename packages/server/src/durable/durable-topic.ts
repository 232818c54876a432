import { type Codec, createRichCodec, DEPTH, type RichTypes, richTypes } from '@pairwire/wire'
import { checkRetention, type Retention } from '../retention.ts'
import type { Topic } from '../topic.ts'
import { idAt } from '../topic-log.ts'
import { TopicReader } from '../topic-reader.ts'
import { EventCache } from './event-cache.ts'
import { placesOf } from './places.ts'
import { type Shared, SqliteLog } from './sqlite-log.ts'
import { TopicTable } from './topic-table.ts'

/**
 * What is kept for those who come back, and for those who read slowly. All three hold, and the oldest events go first.
 */
export interface DurableTopicOptions {
  /** How many events; at least 1. @default 10_000 */
  retain?: number | undefined
  /**
   * How many bytes the events may take in storage, about 32 for each one's row included; at least 1. The newest event is
   * kept also where it alone takes more. @default 67_108_864
   */
  bytes?: number | undefined
  /**
   * How long an event is kept, in milliseconds; at least 1. No alarm and no timer runs for it: what is older is not sent any
   * more, and is deleted some time after when the topic is published to. @default Infinity
   */
  age?: number | undefined
  /** Types that are stored beside JSON. @default superjson's built-in ones; `superjsonTypes` adds what you registered */
  types?: RichTypes | undefined
}

/** The topics of an object, by name. One that nobody uses any more is forgotten. */
interface Topics extends Shared {
  readonly logs: Map<string, { deref(): SqliteLog<unknown> | undefined }>
  /** How many names there may be until the unused ones are looked for. */
  room: number
}

const CACHED = 512
const CACHED_BYTES = 2_097_152
const NAME = 1_024
const ROOM = 64

const topicsOf = new WeakMap<DurableObjectStorage, Topics>()
const codecs = new WeakMap<RichTypes, Codec>()

/**
 * A topic in the SQLite storage of a Durable Object. It outlives the object's sleep, its restarts, and deploys.
 *
 * An event is stored when `publish` returns, and is part of the transaction that it was published in: with
 * `ctx.storage.transactionSync`, together with writes of your own. Subscribers get it after that, as a copy that stays as it
 * was; all of them get the same one, so treat it as read-only.
 *
 * To make one costs nothing until it is used. The same name is the same topic, and has to come with the same options.
 *
 * `publish` throws an RpcError for an event that cannot be encoded, and a RangeError for one that takes more than 2 MB.
 * Nothing is written then.
 *
 * @param name at most 1,024 characters
 * @throws TypeError, RangeError for a name that is none, or too long, and for an option that is no number, or too small
 * @throws Error where the object has this topic already, with other options
 * @example
 * export class Room extends DurableObject {
 *   messages = durableTopic<Message>(this.ctx, 'messages', { retain: 1_000, age: 7 * 86_400_000 })
 * }
 */
export const durableTopic = <T>(
  ctx: Pick<DurableObjectState, 'storage'>,
  name: string,
  options: DurableTopicOptions = {},
): Topic<T> => {
  if (typeof name !== 'string') throw new TypeError(`durableTopic(): the name is ${String(name)}; give it a string`)
  if (name.length > NAME)
    throw new RangeError(`durableTopic(): the name has ${name.length} characters; it may have ${NAME}`)
  const { retain = 10_000, bytes = 67_108_864, age = Infinity, types = richTypes } = options
  const retention = checkRetention('durableTopic', { retain, bytes, age })
  // What SQLite can store: two names that it cannot tell apart are one.
  const key = name.toWellFormed()
  const log = logOf<T>(ctx.storage, key, retention, codecOf(types))
  return {
    get cursor() {
      log.refresh()
      return idAt(log, log.last)
    },
    publish(event) {
      log.append(event)
      return event
    },
    subscribe({ lastEventId, signal, snapshot } = {}) {
      const places = signal && placesOf.get(signal)
      const reader = new TopicReader<T>(log, { lastEventId: lastEventId ?? places?.take(key), signal, snapshot })
      if (places) reader.follow(places.stand(key, () => reader.position))
      return reader
    },
  }
}

const logOf = <T>(storage: DurableObjectStorage, name: string, retention: Retention, codec: Codec): SqliteLog<T> => {
  let topics = topicsOf.get(storage)
  if (!topics) {
    const cache = new EventCache(CACHED, CACHED_BYTES)
    topics = { table: new TopicTable(storage), cache, awaited: new Set(), logs: new Map(), room: ROOM }
    topicsOf.set(storage, topics)
  }
  const { logs } = topics
  const known = logs.get(name)?.deref()
  if (known) {
    const { retain, bytes, age } = known.retention
    if (retain !== retention.retain || bytes !== retention.bytes || age !== retention.age || known.codec !== codec)
      throw new Error(`durableTopic(): there is a topic '${name}' already, with other options; give it the same ones`)
    return known as SqliteLog<T>
  }
  const log = new SqliteLog<T>(topics, name, retention, codec)
  // Runtimes before compatibility date 2025-05-05 have no WeakRef.
  logs.set(
    name,
    typeof WeakRef === 'undefined' ? { deref: () => log as never } : new WeakRef(log as SqliteLog<unknown>),
  )
  if (logs.size > topics.room) {
    for (const [name, ref] of logs) if (!ref.deref()) logs.delete(name)
    topics.room = Math.max(ROOM, 2 * logs.size)
  }
  return log
}

const codecOf = (types: RichTypes): Codec => {
  const codec = codecs.get(types) ?? createRichCodec(DEPTH, types)
  codecs.set(types, codec)
  return codec
}
