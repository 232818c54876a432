import { type Executed, isRpcError, RpcError, validate } from '@pairwire/contract'
import type { Invocation } from './invocation.ts'
import { mask } from './mask.ts'
import type { Route } from './route.ts'
import { isStandardCode } from './standard-code.ts'
import { isThenable } from './thenable.ts'

/**
 * Makes of what was thrown what the caller may know: standard codes and the procedure's declared errors as they are,
 * `INTERNAL` for all the rest. Never throws. Returns a promise only if the schema of an error's data is asynchronous.
 */
export const expose = (
  thrown: unknown,
  route: Route,
  call: Pick<Invocation, 'aborted' | 'onError'>,
  executed: Executed,
): RpcError | Promise<RpcError> => {
  // Nobody waits for an aborted call, and most of what its handler throws is the abort itself, in whatever guise.
  const onError = call.aborted ? () => {} : call.onError
  const hide = (error: unknown) => mask(error, route.path, route.kind, onError, executed)
  // What was thrown may be anything, also a proxy that throws at every touch.
  try {
    // An error of another peer was addressed to this end, not to its caller.
    if (!isRpcError(thrown) || thrown.remote) return hide(thrown)
    const { code, message, data, retryAfter } = thrown
    const pass = (data: unknown) =>
      new RpcError(String(code), String(message), {
        data,
        executed: thrown.executed ?? executed,
        retryAfter,
        cause: thrown,
      })
    if (!Object.hasOwn(route.errors, code)) return isStandardCode(code) ? pass(data) : hide(thrown)
    const schema = route.errors[code]
    if (!schema) return pass(undefined)
    const conclude = (checked: Awaited<ReturnType<typeof validate>>) =>
      checked.issues
        ? hide(
            new Error(`The data of ${code} does not match its schema`, { cause: { thrown, issues: checked.issues } }),
          )
        : pass(checked.value)
    const checked = validate(schema, data)
    return isThenable(checked) ? checked.then(conclude).catch(hide) : conclude(checked)
  } catch {
    return hide(thrown)
  }
}
