import { type Issue, toIssues } from './issue.ts'
import type { Schema, SchemaOutput } from './schema.ts'
import type { StandardResult, StandardSchemaV1 } from './standard-schema.ts'

/** What became of a value: what its schema made of it, or why it was refused. */
export type Validation<T = unknown> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: Issue[]; readonly value?: undefined }

/**
 * Checks a value against a schema. Returns a promise only if the schema is asynchronous.
 *
 * At most 100 issues are reported.
 *
 * @throws what the schema throws; an invalid value is not thrown but returned as `{ issues }`
 */
export const validate = <S extends Schema>(
  schema: S,
  value: unknown,
): Validation<SchemaOutput<S>> | Promise<Validation<SchemaOutput<S>>> => {
  const result = (schema as unknown as StandardSchemaV1<unknown, SchemaOutput<S>>)['~standard'].validate(value)
  return 'then' in result ? Promise.resolve(result).then(toValidation) : toValidation(result)
}

const toValidation = <T>(result: StandardResult<T>): Validation<T> =>
  result.issues ? { issues: toIssues(result.issues) } : (result as { value: T })
