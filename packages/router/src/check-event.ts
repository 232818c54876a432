import { cursor, Tracked } from '@pairwire/contract'
import { check, invalidOutput } from './check.ts'
import type { Check } from './route.ts'
import { isThenable } from './thenable.ts'

/** What an event of a subscription becomes, or a promise of it if the schema is asynchronous. */
export const checkEvent = (output: Check, event: unknown): unknown => {
  if (!(event instanceof Tracked)) return check(output, event, invalidOutput)
  const { id, data, bare } = event
  if (typeof id !== 'string') throw new TypeError('The id of a tracked event has to be a string')
  // Where there is no event there is nothing to check, and nothing to pass but the id.
  if (bare) return data === undefined ? event : cursor(id)
  const known = event.made(output)
  if (known) return known
  const checked = check(output, data, invalidOutput)
  if (isThenable(checked)) return checked.then((value) => new Tracked(id, value))
  const result = checked === data ? event : new Tracked(id, checked)
  // For everyone else who is given this event by a procedure with this output, too.
  if (event.isShared) event.keep(output, result.share())
  return result
}
