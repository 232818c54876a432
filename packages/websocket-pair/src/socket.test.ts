import { afterEach, expect, it, vi } from 'vitest'
import { quiet } from './conformance/harness.ts'
import { PairSocket, WebSocketPair } from './index.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function throwing(): [PairSocket, PairSocket] {
  const { 0: a, 1: b } = new WebSocketPair()
  a.accept()
  b.accept()
  b.onmessage = () => {
    throw new Error('boom')
  }
  return [a, b]
}

it('is a PairSocket', () => {
  expect(new WebSocketPair()[0]).toBeInstanceOf(PairSocket)
})

it('says on the console what a listener threw when nobody listens to errors', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  throwing()[0].send('x')
  await quiet()
  expect(error).toHaveBeenCalledOnce()
  expect(error.mock.calls[0]?.[1]).toMatchObject({ message: 'boom' })
})

it('is silent when somebody does, and hands over the very error', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  const [a, b] = throwing()
  const seen: unknown[] = []
  b.onerror = (event) => seen.push((event.error as Error).message, typeof (event.error as Error).stack)
  a.send('x')
  await quiet()
  expect(seen).toEqual(['boom', 'string'])
  expect(error).not.toHaveBeenCalled()
})

it('completes a handshake that begins while one more message is under way, which in workerd may end with 1006', async () => {
  const { 0: a, 1: b } = new WebSocketPair()
  const log: string[] = []
  for (const [name, socket] of [
    ['a', a],
    ['b', b],
  ] as const) {
    socket.accept()
    socket.onclose = ({ code, wasClean }) => log.push(`${name} ${code} ${wasClean}`)
    socket.onerror = () => log.push(`${name} error`)
  }
  a.addEventListener('message', () => a.close(4004))
  b.send('go')
  b.send('more')
  await quiet()
  expect(log).toEqual(['b 4004 true', 'a 4004 true'])
})

it('gives fake timers no say in delivery', async () => {
  const { 0: a, 1: b } = new WebSocketPair()
  a.accept()
  b.accept()
  vi.useFakeTimers()
  const message = new Promise((resolve) => {
    b.onmessage = ({ data }) => resolve(data)
  })
  a.send('x')
  expect(await message).toBe('x')
})
