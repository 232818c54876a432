import { RpcError, tracked } from '@pairwire/contract'
import { nanoid } from 'nanoid'
import type { Topic } from './topic.ts'

export interface MemoryTopicOptions {
  /** How many events are kept for those who come back; at least 1. @default 1_000 */
  retain?: number
}

/**
 * A topic in the memory of one process: for Node, for tests, and for what lives in one Durable Object while it is awake.
 *
 * @throws Error at a Worker's module scope, where it could not work: two clients of a Worker may not share sockets, and
 * often not even a process
 * @example
 * const messages = memoryTopic<Message>({ retain: 100 })
 */
export const memoryTopic = <T>(options: MemoryTopicOptions = {}): Topic<T> => {
  const retain = Math.max(1, options.retain ?? 1_000)
  const epoch = newEpoch()
  let log: T[] = []
  /** The offset of log[0]. Offsets start at 1. */
  let first = 1
  const waiting = new Set<() => void>()

  const startAfter = (id: string | undefined): number | undefined => {
    if (id === undefined) return first + log.length
    const dot = id.lastIndexOf('.')
    const offset = id.slice(dot + 1)
    const next = Number(offset) + 1
    return id.slice(0, dot) === epoch && /^\d+$/.test(offset) && next >= first && next <= first + log.length
      ? next
      : undefined
  }

  return {
    publish(event) {
      log.push(event)
      // Twice the number is kept, so that making room is rare.
      if (log.length >= 2 * retain) {
        first += log.length - retain
        log = log.slice(log.length - retain)
      }
      for (const wake of waiting) wake()
      waiting.clear()
      return event
    },

    subscribe({ lastEventId, signal } = {}) {
      let next = startAfter(lastEventId)
      let ended = false
      /** Of this subscription's readers that wait. */
      const mine = new Set<() => void>()
      const end = () => {
        ended = true
        for (const wake of mine) {
          waiting.delete(wake)
          wake()
        }
        signal?.removeEventListener('abort', end)
      }
      if (signal?.aborted) end()
      else signal?.addEventListener('abort', end)
      return {
        async next() {
          while (!ended) {
            if (next === undefined || next < first) {
              end()
              throw new RpcError('DATA_LOSS', 'events after the last one seen are no longer retained')
            }
            if (next < first + log.length) {
              const offset = next++
              return { done: false, value: tracked(`${epoch}.${offset}`, log[offset - first]!) }
            }
            await new Promise<void>((resolve) => {
              const wake = () => {
                mine.delete(wake)
                resolve()
              }
              mine.add(wake)
              waiting.add(wake)
            })
          }
          return { done: true, value: undefined }
        },
        async return() {
          end()
          return { done: true, value: undefined }
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },
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
