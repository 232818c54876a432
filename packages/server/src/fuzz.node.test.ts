import { afterAll, expect } from 'vitest'
import { WebSocket } from 'ws'
import { fuzz } from '../test/suites/fuzz.ts'
import { serve } from '../test/suites/node.ts'

const stray: unknown[] = []
process.on('unhandledRejection', (error) => stray.push(error))
process.on('uncaughtException', (error) => stray.push(error))
const node = await serve()
afterAll(async () => {
  await node.close()
  expect(stray).toEqual([])
})

fuzz({ connect: (server) => new WebSocket(`ws://${node.host}/${server}`, ['pairwire.1']) as never }, 1_500)
