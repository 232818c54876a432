import { RpcError } from '@pairwire/contract'
import { FORBIDDEN, OVERLOADED, UNAUTHENTICATED_CLOSE } from '@pairwire/wire'

const REFUSALS = new Map([
  ['UNAUTHENTICATED', UNAUTHENTICATED_CLOSE],
  ['PERMISSION_DENIED', FORBIDDEN],
  ['RESOURCE_EXHAUSTED', OVERLOADED],
  ['UNAVAILABLE', OVERLOADED],
])

/** The close code for what `authenticate` or `context` threw to refuse; undefined where it was not thrown for that. */
export const refusalCode = (error: unknown): number | undefined =>
  error instanceof RpcError ? REFUSALS.get(error.code) : undefined
