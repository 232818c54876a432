import { RpcError, type Schema, validate } from '@pairwire/contract'
import { type Caller, ERROR, EVENT, RESULT } from '@pairwire/wire'

/** Passes on what a client answers only if it is what the contract says: a client can send anything. */
export const checkedCaller = (caller: Caller, path: string, output: Schema | undefined): Caller => {
  // Set while an asynchronous schema runs, so that what comes meanwhile keeps its place.
  let busy: Promise<void> | undefined

  const refuse = (message: string, options: object) =>
    caller.hear(
      ERROR,
      new RpcError('INTERNAL', `the client's answer to "${path}" ${message}`, { ...options, executed: 'yes' }),
    )

  const check = (op: number, value: unknown, weight?: number): void | Promise<void> => {
    if (op !== RESULT && op !== EVENT) return caller.hear(op, value, weight)
    // What no contract describes does not travel.
    if (!output) return caller.hear(op, undefined, weight)
    const finish = (result: { value?: unknown; issues?: unknown }) =>
      result.issues
        ? refuse('is not what the contract says', { data: { issues: result.issues } })
        : caller.hear(op, result.value, weight)
    try {
      const result = validate(output, value)
      return 'then' in result
        ? result.then(finish, (cause) => refuse('made its schema throw', { cause }))
        : finish(result)
    } catch (cause) {
      return refuse('made its schema throw', { cause })
    }
  }

  return {
    hear(op, value, weight) {
      if (busy)
        busy = busy.then(() => check(op, value, weight)).catch((cause) => refuse('could not be taken', { cause }))
      else busy = check(op, value, weight) as Promise<void> | undefined
    },
  }
}
