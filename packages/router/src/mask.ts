import { type Executed, type ProcedureKind, RpcError } from '@pairwire/contract'
import { nanoid } from 'nanoid/non-secure'

/** What a caller was not told: the value that was thrown, under the id that the caller was given instead. */
export interface ErrorReport {
  readonly error: unknown
  /** Stands in the caller's error, in its message and in `data.id`: search the logs for it. */
  readonly id: string
  readonly path: string
  readonly kind: ProcedureKind
}

/**
 * Hears of each error that is hidden from its caller. What it throws is ignored. A server does not call it for what a
 * handler throws after its call was aborted.
 */
export type OnError = (report: ErrorReport) => unknown

/**
 * Hides what was thrown from the caller and reports it: the caller gets `INTERNAL` with an id, `onError` the same id
 * with what was thrown. Without `onError` it goes to `console.error`. Never throws, whatever was thrown.
 */
export const mask = (
  error: unknown,
  path: string,
  kind: ProcedureKind,
  onError: OnError = logError,
  executed: Executed = 'yes',
): RpcError<'INTERNAL', { id: string }> => {
  const id = nanoid(12)
  report(onError, { error, id, path, kind })
  return new RpcError('INTERNAL', `Internal error (${id})`, { data: { id }, executed })
}

const report = async (onError: OnError, report: ErrorReport): Promise<void> => {
  try {
    await onError(report)
  } catch {
    // A reporter that fails must not change what the caller gets, and there is nobody else to tell.
  }
}

const logError: OnError = ({ error, id, path }) => {
  // biome-ignore lint/suspicious/noConsole: an error that nobody asked for must not vanish
  console.error(`Internal error (${id}) in ${path}:`, error)
}
