import { describe } from 'vitest'
import { attachments } from './conformance/attachments.ts'
import { closeArguments } from './conformance/close-arguments.ts'
import { closing } from './conformance/closing.ts'
import { failure } from './conformance/failure.ts'
import { halfOpen } from './conformance/half-open.ts'
import type { PairClass } from './conformance/harness.ts'
import { listeners } from './conformance/listeners.ts'
import { messages } from './conformance/messages.ts'
import { order } from './conformance/order.ts'
import { shape } from './conformance/shape.ts'

/**
 * What a `WebSocketPair` does. Every expectation was measured on workerd, and the suite runs on workerd's own class as
 * well as on ours: the same cases with the same expectations.
 */
export function conformance(name: string, Pair: PairClass): void {
  describe(name, () => {
    for (const group of [shape, messages, order, listeners, closing, halfOpen, closeArguments, failure, attachments]) {
      group(Pair)
    }
  })
}
