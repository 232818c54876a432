import type { StandardCode } from '@pairwire/contract'

// A record, so that the compiler notices when the contract's list and this one part.
const STANDARD: Record<StandardCode, true> = {
  CANCELLED: true,
  UNKNOWN: true,
  INVALID_ARGUMENT: true,
  DEADLINE_EXCEEDED: true,
  NOT_FOUND: true,
  ALREADY_EXISTS: true,
  PERMISSION_DENIED: true,
  RESOURCE_EXHAUSTED: true,
  FAILED_PRECONDITION: true,
  ABORTED: true,
  OUT_OF_RANGE: true,
  UNIMPLEMENTED: true,
  INTERNAL: true,
  UNAVAILABLE: true,
  DATA_LOSS: true,
  UNAUTHENTICATED: true,
}

export const isStandardCode = (code: string): code is StandardCode => Object.hasOwn(STANDARD, code)
