import { isRpcError, type RpcError } from './error.ts'
import type { StandardIssue } from './standard-schema.ts'

/** One reason why a value was refused by its schema, as plain data that can travel. */
export interface Issue {
  readonly message: string
  /** Where in the value, from the outside in. Left out: the value itself. */
  readonly path?: Array<string | number>
}

/** The `data` of an `INVALID_ARGUMENT` that stands for invalid input. */
export interface ValidationData {
  readonly issues: Issue[]
}

/**
 * Whether an error says that input was refused by its schema: an `INVALID_ARGUMENT` with issues.
 *
 * @example
 * const { error } = await safe(client.post({ text: '' }))
 * if (isValidationError(error)) for (const { path, message } of error.data.issues) show(path, message)
 */
export const isValidationError = (error: unknown): error is RpcError<'INVALID_ARGUMENT', ValidationData> =>
  isRpcError(error, 'INVALID_ARGUMENT') && Array.isArray((error.data as ValidationData | undefined)?.issues)

// One bad array of a million items must not come back as a million issues.
const MAX_ISSUES = 100

// `Array.from` rather than `map`: some libraries return subclasses of Array that cannot be mapped.
export const toIssues = (issues: ReadonlyArray<StandardIssue>): Issue[] =>
  Array.from(issues.slice(0, MAX_ISSUES), ({ message, path }) =>
    path?.length ? { message: String(message), path: Array.from(path, toKey) } : { message: String(message) },
  )

const toKey = (segment: PropertyKey | { readonly key: PropertyKey }): string | number => {
  const key = typeof segment === 'object' ? segment.key : segment
  return typeof key === 'number' ? key : String(key)
}
