import { nanoid } from 'nanoid'
import { MemoryLog } from './memory-log.ts'
import { checkRetention } from './retention.ts'
import type { Topic } from './topic.ts'
import { idAt } from './topic-log.ts'
import { TopicReader } from './topic-reader.ts'

/**
 * What is kept for those who come back, and for those who read slowly. All three hold, and the oldest events go first.
 */
export interface MemoryTopicOptions {
  /** How many events; at least 1. @default 1_000 */
  retain?: number | undefined
  /**
   * About how many bytes of memory the events may take, at least 1. The newest event is kept also where it alone takes
   * more. @default 16_777_216
   */
  bytes?: number | undefined
  /**
   * How long an event is kept, in milliseconds; at least 1. No timer runs for it: what is older is not sent any more, and
   * its memory is given back when the topic is next used. @default Infinity
   */
  age?: number | undefined
}

/**
 * A topic in the memory of one process: for Node, for tests, and for what lives in one Durable Object while it is awake.
 *
 * @throws TypeError, RangeError for an option that is no number, or too small
 * @throws Error at a Worker's module scope, where it could not work: two clients of a Worker may not share sockets, and
 * often not even a process
 * @example
 * const messages = memoryTopic<Message>({ retain: 100, age: 60_000 })
 */
export const memoryTopic = <T>(options: MemoryTopicOptions = {}): Topic<T> => {
  const { retain = 1_000, bytes = 16_777_216, age = Infinity } = options
  const retention = checkRetention('memoryTopic', { retain, bytes, age })
  const log = new MemoryLog<T>(newEpoch(), retention)
  return {
    get cursor() {
      return idAt(log, log.last)
    },
    publish(event) {
      log.append(event)
      return event
    },
    subscribe: (from = {}) => new TopicReader(log, from),
  }
}

const newEpoch = (): string => {
  try {
    return nanoid(10)
  } catch (cause) {
    // A Worker has random numbers only inside a request, which is also the only place where this can work.
    throw new Error(
      'memoryTopic() does not work at the module scope of a Worker: its clients do not share memory. Use a Durable Object, with the topic as a field of its class.',
      { cause },
    )
  }
}
