import { afterEach, expect, it, vi } from 'vitest'
import { closeEvent, errorEvent, messageEvent } from './events.ts'

afterEach(() => void vi.unstubAllGlobals())

it('carries the fields of each event', () => {
  expect(messageEvent('x')).toMatchObject({ type: 'message', data: 'x' })
  expect(closeEvent(4000, 'bye', true)).toMatchObject({ type: 'close', code: 4000, reason: 'bye', wasClean: true })
  const error = new RangeError('mine')
  expect(errorEvent(error)).toMatchObject({ type: 'error', message: 'Uncaught RangeError: mine', error })
})

it('makes plain events with the same fields where CloseEvent and ErrorEvent are lacking', () => {
  vi.stubGlobal('CloseEvent', undefined)
  vi.stubGlobal('ErrorEvent', undefined)
  const close = closeEvent(1006, '', false)
  expect(close).toBeInstanceOf(Event)
  expect(close).toMatchObject({ type: 'close', code: 1006, reason: '', wasClean: false })
  const error = new Error('mine')
  expect(errorEvent(error)).toMatchObject({ type: 'error', message: 'Uncaught Error: mine', error })
})
