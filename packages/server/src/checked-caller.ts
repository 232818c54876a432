import { RpcError, type Schema, validate } from '@pairwire/contract'
import type { Caller } from '@pairwire/wire'

/** Passes on what a client answers only if it is what the contract says: a client can send anything. */
export const checkedCaller = (caller: Caller, path: string, output: Schema): Caller => {
  // Set while an asynchronous schema runs, so that what comes meanwhile keeps its place.
  let busy: Promise<void> | undefined
  const inOrder = (step: () => void | Promise<void>) => {
    if (busy) busy = busy.then(step)
    else busy = step() as Promise<void> | undefined
  }
  const check = (value: unknown, deliver: (value: unknown) => void) =>
    inOrder(() => {
      const finish = (result: { value?: unknown; issues?: unknown }) =>
        result.issues
          ? caller.fail(
              new RpcError('INTERNAL', `the client's answer to "${path}" is not what the contract says`, {
                data: { issues: result.issues },
                executed: 'yes',
              }),
            )
          : deliver(result.value)
      const result = validate(output, value)
      return 'then' in result
        ? result.then(finish, (cause) => caller.fail(new RpcError('INTERNAL', 'a schema threw', { cause })))
        : finish(result)
    })
  return {
    result: (value) => check(value, (value) => caller.result(value)),
    event: (value, weight, eventId) => check(value, (value) => caller.event(value, weight, eventId)),
    ask: (n) => inOrder(() => caller.ask(n)),
    done: () => inOrder(() => caller.done()),
    fail: (error) => inOrder(() => caller.fail(error)),
  }
}
