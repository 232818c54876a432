import { afterEach, expect, it } from 'vitest'
import { install, WebSocketPair } from './index.ts'

const globals = globalThis as unknown as { WebSocketPair?: unknown }

afterEach(() => {
  delete globals.WebSocketPair
})

it('leaves the globals alone at import', () => {
  expect('WebSocketPair' in globals).toBe(false)
})

it('sets WebSocketPair where there is none', () => {
  expect(install()).toBe(true)
  expect(globals.WebSocketPair).toBe(WebSocketPair)
  expect(Object.keys(globals)).not.toContain('WebSocketPair')
})

it('keeps one that is there', () => {
  const other = class {}
  globals.WebSocketPair = other
  expect(install()).toBe(false)
  expect(globals.WebSocketPair).toBe(other)
})
