import { type Issue, RpcError, type Validation, type ValidationData, validate } from '@pairwire/contract'
import type { Check } from './route.ts'
import { isThenable } from './thenable.ts'

/** What a value becomes, or a promise of it if the schema is asynchronous. Throws what `refuse` makes of the issues. */
export const check = (schema: Check, value: unknown, refuse: (issues: Issue[]) => Error): unknown => {
  // What no schema describes does not pass: neither side expects it.
  if (schema === undefined) return undefined
  if (schema === null) return value
  const checked = validate(schema, value)
  return isThenable(checked) ? checked.then((checked) => accept(checked, refuse)) : accept(checked, refuse)
}

const accept = (checked: Validation, refuse: (issues: Issue[]) => Error): unknown => {
  if (checked.issues) throw refuse(checked.issues)
  return checked.value
}

export const invalidInput = (issues: Issue[]): RpcError<string, ValidationData> =>
  new RpcError('INVALID_ARGUMENT', 'Invalid input', { data: { issues } })

export const invalidItem = (issues: Issue[]): RpcError<string, ValidationData> =>
  new RpcError('INVALID_ARGUMENT', 'Invalid item in the input stream', { data: { issues } })

/** Not an `RpcError`: what is wrong with this end's own output is not for the caller. */
export const invalidOutput = (issues: Issue[]): Error =>
  new Error(`Invalid output: ${issues.map(({ path, message }) => `${path?.join('.') ?? 'it'}: ${message}`).join('; ')}`)
