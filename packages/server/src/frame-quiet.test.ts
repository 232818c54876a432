import { expect, it } from 'vitest'
import { createFrameQuiet } from './frame-quiet.ts'

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

it('waits for nothing while a frame is handled, and sends at once what was answered in its turn', async () => {
  const quiet = createFrameQuiet()
  const log: string[] = []
  quiet.during(() => {
    quiet.wait(() => log.push('sent'))
    log.push('handled')
    return true
  })
  expect(log).toEqual(['handled', 'sent'])
  await nextTask()
  expect(log).toEqual(['handled', 'sent'])
})

it('waits behind a frame that is not all answered, or fails, and at any other time', async () => {
  const quiet = createFrameQuiet()
  const log: string[] = []
  quiet.during(() => {
    quiet.wait(() => log.push('more to come'))
    return false
  })
  const fail = () =>
    quiet.during(() => {
      quiet.wait(() => log.push('before it failed'))
      throw new Error('bad frame')
    })
  expect(fail).toThrow('bad frame')
  quiet.wait(() => log.push('outside'))
  expect(log).toEqual([])
  await nextTask()
  expect(log).toEqual(['more to come', 'before it failed', 'outside'])
})
