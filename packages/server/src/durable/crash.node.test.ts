import { RpcError } from '@pairwire/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Stages, serveStages } from '../../test/platform/stages.ts'

const SOON = { timeout: 10_000 }

let stages: Stages
beforeAll(async () => {
  stages = await serveStages()
})
afterAll(() => stages?.close())

const outcome = (call: Promise<unknown>) =>
  call.then(
    (value) => value,
    (error: RpcError) => (error instanceof RpcError ? `${error.code} ${error.executed}` : error),
  )

it('a mutation that a crash cut off is never run again, and nobody is told that it was', async () => {
  const client = stages.connect('cut-off')
  const hangs = outcome(client.hang('order', { key: 'order 1' }))
  await expect.poll(() => stages.call('cut-off', 'runs'), SOON).toEqual({ order: 1 })
  await stages.call('cut-off', 'crash').catch(() => {})
  expect(await hangs).toBe('UNAVAILABLE unknown')

  // Another page of the same user, with the same key: also after another crash, and after a sleep.
  const again = stages.connect('cut-off')
  expect(await outcome(again.hang('order', { key: 'order 1' }))).toBe('UNAVAILABLE unknown')
  await stages.call('cut-off', 'crash').catch(() => {})
  expect(await outcome(again.hang('order', { key: 'order 1' }))).toBe('UNAVAILABLE unknown')
  await stages.evict('cut-off')
  expect(await outcome(again.hang('order', { key: 'order 1' }))).toBe('UNAVAILABLE unknown')
  expect(await stages.call('cut-off', 'runs')).toEqual({ order: 1 })
  client.$connection.close()
  again.$connection.close()
})

it('a mutation that had ended before a crash is answered as it ended', async () => {
  const client = stages.connect('ended')
  expect(await client.slowOnce('order', { key: 'order 1' })).toBe('order')
  await stages.call('ended', 'crash').catch(() => {})
  expect(await client.slowOnce('order', { key: 'order 1' })).toBe('order')
  expect(await client.once('another', { key: 'order 1' })).toBe('another')
  await stages.call('ended', 'crash').catch(() => {})
  expect(await client.once('another', { key: 'order 1' })).toBe('another')
  expect(await outcome(client.once('else', { key: 'order 1' }))).toBe('FAILED_PRECONDITION no')
  expect(await stages.call('ended', 'runs')).toEqual({ order: 1, another: 1 })
  client.$connection.close()
})
