import { expectType } from './expect-type.test-d.ts'
import {
  type Call,
  type Issue,
  isRpcError,
  isValidationError,
  type RpcError,
  type StandardCode,
  safe,
} from './index.ts'

type Muted = RpcError<'MUTED', { until: Date }>
type Missing = RpcError<'NOT_FOUND', { id: string }>
declare const call: Call<string, Muted | Missing>

export const narrowsByCode = async (): Promise<void> => {
  const { error, data } = await safe(call)
  expectType<string | undefined>()(data)
  if (error?.code === 'MUTED') expectType<Date>()(error.data.until)
  // A declared standard code has the declared data, and no other.
  if (error?.code === 'NOT_FOUND') expectType<Missing>()(error)
  if (error?.code === 'CANCELLED') expectType<RpcError<Exclude<StandardCode, 'NOT_FOUND'>>>()(error)
  if (isValidationError(error)) expectType<Issue[]>()(error.data.issues)
  // @ts-expect-error not declared
  if (error?.code === 'OTHER') return
  if (error) return
  expectType<string>()(data)
}

export const takesAnyPromise = async (): Promise<void> => {
  const { error, data } = await safe(Promise.resolve(1))
  if (error) expectType<RpcError<StandardCode>>()(error)
  else expectType<number>()(data)
}

export const guards = (value: unknown, error: Muted | Missing): void => {
  if (isRpcError(value)) expectType<RpcError<string>>()(value)
  if (isRpcError(error, 'MUTED')) expectType<Muted>()(error)
}
