import { type Schema, validate } from '@pairwire/contract'
import { type Call, type Caller, EVENT, RESULT } from '@pairwire/wire'

/** Bytes that may wait for an asynchronous schema: some windows, so that only who ignores them gets there. */
const MAX_WAITING = 4_194_304

/** Passes on to a call what a client answers, if it is what the contract says: a client can send anything. */
export const checkedCaller = (call: Call, output: Schema | undefined): Caller => {
  // Set while an asynchronous schema runs, so that what comes meanwhile keeps its place.
  let busy: Promise<void> | undefined
  /** What waits for it, in bytes. */
  let waiting = 0

  /** Ends the call at both ends. */
  const refuse = (problem: string, options: object) =>
    call.end('INTERNAL', `was answered by the client with ${problem}`, { ...options, executed: 'yes' })

  const check = (value: unknown, deliver: (value: unknown) => void): void | Promise<void> => {
    // What no contract describes does not travel.
    if (!output) return deliver(undefined)
    const finish = (result: { value?: unknown; issues?: unknown }) =>
      result.issues
        ? refuse('what its contract does not allow', { data: { issues: result.issues } })
        : deliver(result.value)
    let result: ReturnType<typeof validate>
    try {
      result = validate(output, value)
    } catch (cause) {
      return refuse('what makes its schema throw', { cause })
    }
    return 'then' in result ? result.then(finish) : finish(result)
  }

  const pass = (op: number, value: unknown, weight?: number, eventId?: string): void | Promise<void> => {
    const deliver = (value: unknown) => call.hear(op, value, weight, eventId)
    return op === RESULT || op === EVENT ? check(value, deliver) : deliver(value)
  }

  return {
    hear(op, value, weight, eventId) {
      if (busy) waiting += weight ?? 0
      if (waiting > MAX_WAITING) return refuse('more than its schema could check in time', {})
      const next = (
        busy ? busy.then(() => pass(op, value, weight, eventId)) : pass(op, value, weight, eventId)
      ) as typeof busy
      busy = next
        ?.then(() => {
          waiting = Math.max(0, waiting - (weight ?? 0))
        })
        .catch((cause) => refuse('what could not be taken', { cause }))
    },
  }
}
