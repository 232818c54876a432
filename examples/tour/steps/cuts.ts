import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createClient } from '@pairwire/client'
import { safe } from '@pairwire/contract'
import type { bakery, tour } from '../contract.ts'
import { network } from '../network.ts'
import type { Step } from '../step.ts'

/** So that nobody has to wait here; at home, many who return at once should be spread over more time. */
const soon = { reconnect: { minDelay: 10 } }
const newPath = () => `/bakeries/${randomUUID()}`

/** How calls of each kind go on when their connection is lost. */
export const cuts: Step[] = [
  {
    kind: 'cut: query',
    async show({ url }) {
      await using line = await network(url)
      const client = createClient<typeof bakery>(line.url + newPath(), soon)
      await using _ = client.$connection
      const stock = client.stock()
      equal((await client.runs()).stock, 1)
      line.cut()
      equal(await stock, 0)
      const { stock: runs } = await client.runs()
      equal(runs, 2)
      return `stock(), cut while it ran → ${await stock}, of run ${runs}`
    },
  },
  {
    kind: 'cut: mutation',
    async show({ url }) {
      await using line = await network(url)
      const client = createClient<typeof bakery>(line.url + newPath(), soon)
      await using _ = client.$connection
      const baking = client.bake()
      equal((await client.runs()).bake, 1)
      line.cut()
      const { loaf } = await baking
      const { bake: runs } = await client.runs()
      deepEqual({ loaf, runs }, { loaf: 1, runs: 1 })
      return `bake(), cut while it ran → loaf ${loaf} over the next socket, of its only run`
    },
  },
  {
    kind: 'cut: forgotten',
    async show({ url }) {
      await using line = await network(url)
      // The Worker itself, which forgets what ran for a socket that is lost.
      const client = createClient<typeof tour>(line.url, { ...soon, params: { token: 'Ada' } })
      await using _ = client.$connection
      const baking = safe(client.bake())
      await client.whoAmI()
      line.cut()
      const { error } = await baking
      equal(error?.code, 'UNAVAILABLE')
      equal(error?.executed, 'unknown')
      return `bake() in a plain Worker, cut while it ran → ${error.code}, executed: ${error.executed}`
    },
  },
  {
    kind: 'cut: idempotent',
    async show({ url }) {
      await using line = await network(url)
      const client = createClient<typeof tour>(line.url, { ...soon, params: { token: 'Ada' } })
      await using _ = client.$connection
      const heating = client.preheat({ to: 220 })
      await client.whoAmI()
      line.cut()
      const { degrees } = await heating
      equal(degrees, 220)
      return `preheat({ to: 220 }) there, cut likewise → ${degrees} degrees: run again, as its contract allows`
    },
  },
  {
    kind: 'cut: once',
    async show({ url }) {
      await using line = await network(url)
      const path = newPath()
      const key = randomUUID()
      const client = createClient<typeof bakery>(line.url + path, soon)
      await using _ = client.$connection
      const paying = client.pay({ cents: 350 }, { key })
      equal((await client.runs()).pay, 1)
      line.cut()
      const { receipt } = await paying
      // As a page does that was loaded again, and found the key it had noted.
      const reloaded = createClient<typeof bakery>(url + path)
      await using __ = reloaded.$connection
      const again = await reloaded.pay({ cents: 350 }, { key })
      const { pay: runs } = await client.runs()
      deepEqual({ receipt, again: again.receipt, runs }, { receipt: 1, again: 1, runs: 1 })
      return `pay(…, { key }), cut, and made again by another client → receipt ${receipt} for both, paid ${runs} time`
    },
  },
  {
    kind: 'cut: tracked',
    async show({ url }) {
      await using line = await network(url)
      const path = newPath()
      const baker = createClient<typeof bakery>(url + path)
      await using _ = baker.$connection
      const client = createClient<typeof bakery>(line.url + path, soon)
      await using __ = client.$connection
      const seen: number[] = []
      const reading = (async () => {
        for await (const loaf of client.baked()) if (seen.push(loaf) === 16) break
      })()
      // Its answer says that the subscription before it has begun.
      await client.runs()
      for (let round = 1; round <= 4; round++) {
        const baking = Array.from({ length: 4 }, () => baker.bake())
        line.cut()
        await Promise.all(baking)
      }
      await reading
      deepEqual(
        seen,
        Array.from({ length: 16 }, (_, n) => n + 1),
      )
      return `baked(), cut 4 times while 16 loaves came out → ${seen[0]} to ${seen.at(-1)}, in order, each once`
    },
  },
  {
    kind: 'cut: untracked',
    async show({ url }) {
      await using line = await network(url)
      const client = createClient<typeof bakery>(line.url + newPath(), soon)
      await using _ = client.$connection
      const seen: Array<number | string> = []
      await new Promise<void>((resolve, reject) => {
        client.oven().subscribe({
          onData(degrees) {
            seen.push(degrees)
            if (seen.length === 3) line.cut()
            if (seen.includes('gap') && seen.at(-1) === 21) resolve()
          },
          onGap({ reason }) {
            equal(reason, 'untracked')
            seen.push('gap')
          },
          onError: reject,
        })
      })
      equal(seen.filter((event) => event === 'gap').length, 1)
      ok(seen.indexOf('gap') >= 3)
      return `oven(), cut → ${seen.join(', ')}: events without ids have no place to go on from`
    },
  },
]
