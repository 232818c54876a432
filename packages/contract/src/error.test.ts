import { describe, expect, it } from 'vitest'
import { isRpcError, RpcError } from './index.ts'

describe('RpcError', () => {
  it('is an error with a code, which is its message too if there is none', () => {
    const error = new RpcError('NOT_FOUND')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'RpcError', code: 'NOT_FOUND', message: 'NOT_FOUND', remote: false })
    expect(error).toMatchObject({ data: undefined, executed: undefined, retryAfter: undefined })
    expect(Object.hasOwn(error, 'cause')).toBe(false)
  })

  it('keeps what it is given', () => {
    const cause = new Error('why')
    const options = { data: { n: 1 }, executed: 'no', retryAfter: 5, remote: true, cause } as const
    expect(new RpcError('X', 'text', options)).toMatchObject({ code: 'X', message: 'text', ...options })
  })
})

describe('isRpcError', () => {
  it('tells an RpcError, and its code, from anything else', () => {
    expect(isRpcError(new RpcError('A'))).toBe(true)
    expect(isRpcError(new RpcError('A'), 'A')).toBe(true)
    expect(isRpcError(new RpcError('A'), 'B')).toBe(false)
    expect(isRpcError(Object.assign(new Error(), { name: 'RpcError', code: 'A' }))).toBe(false)
    expect(isRpcError(null)).toBe(false)
  })
})
