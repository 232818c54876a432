import { expect, it } from 'vitest'
import type { PairClass } from './conformance/harness.ts'
import { conformance } from './conformance.ts'
import { install, WebSocketPair as Ours } from './index.ts'

const { WebSocketPair: native } = globalThis as unknown as { WebSocketPair: PairClass }

it('is not our own', () => {
  expect(native).not.toBe(Ours)
})

it('is never replaced by install', () => {
  expect(install()).toBe(false)
  expect((globalThis as unknown as { WebSocketPair: unknown }).WebSocketPair).toBe(native)
})

it('has the type that ours fits', () => {
  const socket: WebSocket = new Ours()[0]
  expect(socket.readyState).toBe(WebSocket.OPEN)
})

conformance('WebSocketPair of workerd', native)
