import { isValidationError, type RpcError } from '@pairwire/client'

/** What to tell the visitor about a message that has not arrived, or not that anybody knew. */
export const why = (error: RpcError): string => {
  if (isValidationError(error)) return error.data.issues[0]?.message ?? 'The room does not take this.'
  // The same key is used again, so the room answers with what it did the first time, if it did.
  if (error.executed === 'unknown') return 'No answer. It may have arrived; trying again will not say it twice.'
  return error.code === 'DEADLINE_EXCEEDED' ? 'Not sent: no connection.' : `Not sent: ${error.message}`
}
