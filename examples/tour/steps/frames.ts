import { deepEqual } from 'node:assert/strict'
import type { Step } from '../step.ts'

const COUNT = 25
const numbers = Array.from({ length: COUNT }, (_, n) => n)

/** How calls share frames. */
export const frames: Step[] = [
  {
    kind: 'calls before open',
    async show({ another }) {
      const { client, frames } = another()
      await using _ = client.$connection
      const sums = await Promise.all(numbers.map((n) => client.add({ a: n, b: n })))
      deepEqual(
        sums,
        numbers.map((n) => 2 * n),
      )
      // The first frame each way is hello and welcome.
      deepEqual(frames, { sent: 2, received: 2 })
      return `hello → welcome, then ${COUNT} calls → 1 frame out, 1 frame back`
    },
  },
  {
    kind: 'calls of one tick',
    async show({ client, frames }) {
      await client.add({ a: 0, b: 0 })
      const { sent, received } = frames
      const sums = await Promise.all(numbers.map((n) => client.add({ a: n, b: -n })))
      deepEqual(
        sums,
        numbers.map(() => 0),
      )
      // The first goes ahead, as nothing else is under way; the others share a frame.
      deepEqual([frames.sent - sent, frames.received - received], [2, 2])
      return `${COUNT} calls → 2 frames out, 2 frames back`
    },
  },
]
