import type { StandardSchemaV1 } from './standard-schema.ts'

/**
 * What a procedure takes as a schema: anything that follows Standard Schema.
 *
 * Only the key is asked for, not what is behind it: comparing that too makes a contract five times as expensive for the
 * type checker (see bench/types). `defineContract` checks at run time that there is a schema behind it.
 */
export interface Schema {
  readonly '~standard': unknown
}

// Key by key, because inference through `S extends StandardSchemaV1<infer Input>` compares the whole schema.
type At<T, Key> = Key extends keyof T ? T[Key] : never

/** What a schema accepts; `None` where there is no schema. */
export type SchemaInput<S, None = undefined> = S extends Schema
  ? At<NonNullable<At<S['~standard'], 'types'>>, 'input'>
  : None

/** What a schema makes of what it accepts; `None` where there is no schema. */
export type SchemaOutput<S, None = undefined> = S extends Schema
  ? At<NonNullable<At<S['~standard'], 'types'>>, 'output'>
  : None

const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'pairwire', validate: (value) => ({ value }) },
}

/**
 * A schema that types a value and checks nothing: for what this end makes itself, such as an output.
 *
 * @example
 * query({ input: z.object({ id: z.string() }), output: type<User>() })
 */
export const type = <T>(): StandardSchemaV1<T> => anything as StandardSchemaV1<T>

/** Whether a schema is {@link type}'s, so that running it can be saved. */
export const checksNothing = (schema: unknown): boolean => schema === anything
