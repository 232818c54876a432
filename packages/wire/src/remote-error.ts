import { RpcError, type RpcErrorOptions } from '@pairwire/contract'

/** An error as the other end told it. */
export const remoteError = (value: unknown): RpcError => {
  const { code, message, ...options } = Object(value) as RpcErrorOptions & { code: string; message?: string }
  return new RpcError(`${code}`, message, { executed: 'unknown', ...options, remote: true })
}
