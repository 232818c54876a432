import { CheckedIterator } from './checked-iterator.ts'
import type { Invocation } from './invocation.ts'
import type { Entry } from './route.ts'

/** The events of a subscription that was run, as its caller is to see them. */
export const checkedEvents = (
  entry: Entry,
  call: Pick<Invocation, 'aborted' | 'onError'>,
  events: AsyncIterable<unknown>,
): AsyncIterableIterator<unknown> =>
  new CheckedIterator(
    events,
    (event) => entry.check(event),
    async (error) => {
      throw await entry.expose(error, call)
    },
  )
