import { equal, ok } from 'node:assert/strict'
import { safe } from '@pairwire/contract'
import type { Step } from '../step.ts'

/** How calls end that nobody waits for any more. */
export const endings: Step[] = [
  {
    kind: 'cancel',
    async show({ another }) {
      const { client } = another()
      await using _ = client.$connection
      const controller = new AbortController()
      const waiting = safe(client.wait(undefined, { signal: controller.signal }))
      // One socket keeps its order: this answer says that the handler of the call before it runs.
      equal((await client.visit()).waiting, 1)
      controller.abort()
      const { error } = await waiting
      equal(error?.code, 'CANCELLED')
      equal((await client.visit()).stopped, 1)
      return `wait(), aborted → ${error?.code}, and its handler's signal fired`
    },
  },
  {
    kind: 'deadline',
    async show({ another }) {
      const { client } = another()
      await using _ = client.$connection
      const { error } = await safe(client.wait(undefined, { timeout: 200 }))
      equal(error?.code, 'DEADLINE_EXCEEDED')
      const { stopped, remaining = 0 } = await client.visit()
      equal(stopped, 1)
      ok(remaining > 0 && remaining <= 200, `the handler was told ${remaining} ms`)
      return `wait() with 200 ms → ${error?.code}, and its handler knew how long it had`
    },
  },
  {
    kind: 'close',
    async show({ another }) {
      const { client } = another()
      const waiting = safe(client.wait())
      equal((await client.visit()).waiting, 1)
      client.$connection.close()
      const { error } = await waiting
      equal(error?.code, 'CANCELLED')
      equal(client.$connection.state, 'closed')
      return `wait(), then close() → ${error?.code}, executed: ${error?.executed}`
    },
  },
]
