import type { CallError, Carried } from './call.ts'
import { toRpcError } from './error.ts'

/** What became of a call: `error` or `data`, and the type of one follows from the other. */
export type SafeResult<Output, Errors = never> =
  | { readonly error: undefined; readonly data: Output }
  | { readonly error: CallError<Errors>; readonly data: undefined }

/**
 * Waits for a call and returns its error instead of throwing it, so that it has a type. Never rejects.
 *
 * What was thrown and is no `RpcError` becomes one with the code `UNKNOWN` and the thrown value as its `cause`.
 *
 * @example
 * const { error, data } = await safe(client.post({ text: 'hello' }))
 * if (error?.code === 'MUTED') return `Muted until ${error.data.until}`
 */
export const safe = <Output, Errors = never>(
  call: PromiseLike<Output> & { readonly '~errors'?: Carried<Errors> },
): Promise<SafeResult<Output, Errors>> =>
  Promise.resolve<Output>(call).then(
    (data) => ({ error: undefined, data }),
    (error) => ({ error: toRpcError(error) as CallError<Errors>, data: undefined }),
  )
