import { RpcError } from '@pairwire/contract'
import { expect, it } from 'vitest'
import { remoteError } from './remote-error.ts'

it('is what the other end told, and known to be remote', () => {
  const told = { code: 'MUTED', message: 'not now', data: { until: 5 }, executed: 'yes', retryAfter: 100 }
  const error = remoteError(told)
  expect(error).toBeInstanceOf(RpcError)
  expect(error).toMatchObject({ ...told, name: 'RpcError', remote: true })
})

it('says that it is unknown whether the handler ran, where the other end does not', () => {
  expect(remoteError({ code: 'X' }).executed).toBe('unknown')
  expect(remoteError({ code: 'X', executed: 'no' }).executed).toBe('no')
})

it('has its code for a message, where it was told none', () => {
  expect(remoteError({ code: 'NOT_FOUND' }).message).toBe('NOT_FOUND')
  expect(remoteError({ code: 'NOT_FOUND', message: '' }).message).toBe('')
})

it('cannot be told to be local, or to have a stack or name of its own', () => {
  const error = remoteError({ code: 'X', remote: false, name: 'Mine', stack: 'theirs' })
  expect(error).toMatchObject({ remote: true, name: 'RpcError' })
  expect(error.stack).not.toBe('theirs')
})

it.each([undefined, null, 5, 'text', []])('is made of %o too', (value) => {
  expect(remoteError(value)).toMatchObject({ code: 'undefined', executed: 'unknown', remote: true })
})
