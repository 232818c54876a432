import type { Contender } from './contenders/index.ts'
import type { Plan } from './plan.ts'
import type { MemoryRow } from './results.ts'
import { spreadOf } from './spread.ts'
import { start } from './start.ts'

/** On each connection that has subscriptions; a server of pairwire takes 128 if it is told nothing else. */
const EACH = 100

const oneConnection = async (contender: Contender, n: number) => {
  const pair = await start(contender, 'node', true)
  try {
    // What the first ones bring is the server's, and not theirs.
    await pair.client('hold', { n: 20 })
    const before = (await pair.server('memory')) as number
    await pair.client('hold', { n })
    return (((await pair.server('memory')) as number) - before) / n
  } finally {
    await pair.stop()
  }
}

const oneSubscription = async (contender: Contender, n: number, from: 'join' | 'idle') => {
  const pair = await start(contender, 'node', true)
  try {
    await pair.client('hold', { n: Math.ceil(n / EACH) })
    const before = (await pair.server('memory')) as number
    const opened = (await pair.client('holdSubscriptions', { each: EACH, from })) as number | { skip: true }
    if (typeof opened !== 'number') return undefined
    return (((await pair.server('memory')) as number) - before) / opened
  } finally {
    await pair.stop()
  }
}

/** How much of a server's heap connections and subscriptions take that do nothing: of one, from `idle` of them. */
export const measureMemory = async (
  { contenders, idle, mode, rounds }: Plan,
  { log, failed }: { log(text: string): void; failed(text: string): void },
): Promise<MemoryRow[]> => {
  const rows: MemoryRow[] = []
  for (const contender of contenders) {
    if (!contender.hosts.includes('node') || contender.only) continue
    // It hardly differs from one time to the next.
    const times = Array.from({ length: mode === 'full' ? rounds : 1 }, (_, i) => i)
    const values = { connection: [] as number[], topic: [] as number[], generator: [] as number[] }
    try {
      for (const _ of times) {
        values.connection.push(await oneConnection(contender, idle))
        const topic = await oneSubscription(contender, 10 * idle, 'join')
        if (topic !== undefined) values.topic.push(topic)
        const generator = await oneSubscription(contender, 10 * idle, 'idle')
        if (generator !== undefined) values.generator.push(generator)
      }
      const [topic, generator] = [spreadOf(values.topic), spreadOf(values.generator)]
      rows.push({
        contender: contender.name,
        connection: spreadOf(values.connection)!,
        ...(topic && { topic }),
        ...(generator && { generator }),
      })
      log(`memory, ${contender.name}: ${JSON.stringify(values)}`)
    } catch (error) {
      failed(`memory, ${contender.name}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return rows
}
