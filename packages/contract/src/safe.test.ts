import { describe, expect, it } from 'vitest'
import { RpcError, safe } from './index.ts'

describe('safe', () => {
  it('returns the data of a call', async () => {
    expect(await safe(Promise.resolve(1))).toEqual({ error: undefined, data: 1 })
  })

  it('returns the error that a call rejects with', async () => {
    const error = new RpcError('NOT_FOUND')
    expect((await safe(Promise.reject(error))).error).toBe(error)
  })

  it.each([new TypeError('broken'), 'text', null, undefined])('wraps what is no RpcError: %s', async (thrown) => {
    const { error, data } = await safe(Promise.reject(thrown))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: 'UNKNOWN', message: thrown instanceof Error ? 'broken' : 'UNKNOWN' })
    expect(error?.cause).toBe(thrown)
    expect(data).toBeUndefined()
  })

  it('takes any thenable', async () => {
    const call = { then: (resolve: (value: number) => void) => resolve(2) } as PromiseLike<number>
    expect((await safe(call)).data).toBe(2)
  })
})
