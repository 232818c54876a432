import { expect, it, vi } from 'vitest'
import { ProtocolError } from './close.ts'
import { jsonCodec } from './codec.ts'
import { createLine } from './line.ts'

const limits = { message: 20, window: 100, unread: 1_000 }
const open = () => {
  const push = vi.fn()
  return { push, line: createLine({ push, flush() {} }, jsonCodec, limits, 2) }
}

it('sends a message with a value, and says what it weighs', () => {
  const { push, line } = open()
  expect(line.send('7,1', { json: '5' })).toBe(64 + 7)
  const bytes = [new Uint8Array(3)]
  expect(line.send('9,1', { json: '[0,3]', bytes, length: 3 }, '"e"')).toBe(64 + '[9,1,[0,3],"e"]'.length + 3)
  expect(push.mock.calls).toEqual([
    ['[7,1,5]', undefined],
    ['[9,1,[0,3],"e"]', bytes],
  ])
})

it('sends no more characters, and apart from them no more bytes, than the other end takes', () => {
  const { push, line } = open()
  const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no', message: 'over 20 bytes' })
  const text = (length: number) => ({ json: JSON.stringify('x'.repeat(length - '[7,1,""]'.length)) })
  const raw = (length: number) => ({ json: '1', bytes: [new Uint8Array(length)], length })
  expect(line.send('7,1', text(20))).toBe(64 + 20)
  expect(line.send('7,1', raw(20))).toBe(64 + 27)
  expect(() => line.send('7,1', text(21))).toThrow(refused)
  expect(() => line.send('7,1', raw(21))).toThrow(refused)
  expect(push).toHaveBeenCalledTimes(2)
  line.message = 50
  expect(line.send('7,1', text(50))).toBe(64 + 50)
})

it('begins with its own limits for the other end, until that says its own', () => {
  const { line } = open()
  expect([line.message, line.window, line.firstId]).toEqual([20, 100, 2])
  line.window = 5
  expect(line.limits.window).toBe(100)
})

it('grants credit, and asks for it with less than none', () => {
  const { push, line } = open()
  line.credit(3, 50)
  line.credit(3, -60)
  expect(push.mock.calls).toEqual([['[6,3,50]'], ['[6,3,-60]']])
})

it('closes where more lies unread than its limit, over all streams', () => {
  const { line } = open()
  line.weigh(600)
  line.weigh(400)
  line.weigh(-1)
  line.weigh(1)
  const overrun = () => line.weigh(1)
  expect(overrun).toThrow(ProtocolError)
  expect(overrun).toThrow(expect.objectContaining({ code: 4000 }))
})

it('keeps an account of its own', () => {
  const [one, other] = [open().line, open().line]
  one.weigh(1_000)
  expect(() => other.weigh(1_000)).not.toThrow()
})
