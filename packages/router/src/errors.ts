import { type ErrorSchemas, RpcError, type RpcErrorOptions, type SchemaInput } from '@pairwire/contract'

/** What a handler throws with: a function for each declared error, by its code. */
export type ErrorConstructors<Errors> = {
  readonly [Code in keyof Errors & string]: Errors[Code] extends null
    ? (message?: string, options?: DeclaredErrorOptions) => RpcError<Code, undefined>
    : (
        data: SchemaInput<Errors[Code]>,
        message?: string,
        options?: DeclaredErrorOptions,
      ) => RpcError<Code, SchemaInput<Errors[Code]>>
}

/** What can be said of a declared error beside its data and message. */
export type DeclaredErrorOptions = Omit<RpcErrorOptions, 'data' | 'remote'>

/** Makes the constructors of a procedure's errors: once for a procedure, not for each call. */
export const errorConstructors = (errors: ErrorSchemas | undefined): ErrorConstructors<ErrorSchemas> => {
  const constructors = Object.create(null)
  for (const [code, schema] of Object.entries(errors ?? {})) {
    constructors[code] =
      schema === null
        ? (message?: string, options?: DeclaredErrorOptions) => new RpcError(code, message, options)
        : (data: unknown, message?: string, options?: DeclaredErrorOptions) =>
            new RpcError(code, message, { ...options, data })
  }
  return Object.freeze(constructors)
}
