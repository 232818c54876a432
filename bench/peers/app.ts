// What every contender serves: the same few procedures, over the same data. Nothing here knows of a host.
import * as z from 'zod'

export const AddInput = z.object({ a: z.number(), b: z.number() })
export type AddInput = z.infer<typeof AddInput>
export const add = ({ a, b }: AddInput): number => a + b

export const Tick = z.object({ seq: z.number(), price: z.number() })
export type Tick = z.infer<typeof Tick>
export const tick = (seq: number): Tick => ({ seq, price: 101.5 })

export interface Room {
  join(listener: (value: never) => void): () => void
  publish(value: unknown): void
}

/** One room; what is published reaches every listener. */
export const makeRoom = (): Room => {
  const listeners = new Set<(value: never) => void>()
  return {
    join(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    publish(value) {
      for (const listener of listeners) listener(value as never)
    },
  }
}

export const Order = z.object({
  kind: z.string(),
  at: z.date(),
  items: z.array(
    z.object({
      id: z.number(),
      sku: z.string(),
      title: z.string(),
      price: z.object({ amount: z.number(), currency: z.string(), vat: z.number() }),
      active: z.boolean(),
      createdAt: z.date(),
      attributes: z.map(z.string(), z.union([z.string(), z.number()])),
      history: z.array(z.object({ n: z.number(), by: z.string() })),
    }),
  ),
})

/** About 10 KB of JSON, with 41 dates and 40 maps; without them, what plain JSON makes of them. */
export const makeOrder = ({ dates = true, maps = true } = {}) => {
  const date = (ms: number) => (dates ? new Date(ms) : new Date(ms).toISOString())
  const item = (i: number) => {
    const attributes: [string, string | number][] = [
      ['color', `red${i}`],
      ['size', String(i)],
      ['weight', i * 1.5],
    ]
    return {
      id: 100_000 + i,
      sku: `SKU-${(i * 7_919) % 10_007}`,
      title: `Item number ${i} of the nested benchmark payload`,
      price: { amount: 19.99 + i, currency: 'EUR', vat: 0.19 },
      active: i % 2 === 0,
      createdAt: date(1_700_000_000_000 + i * 86_400_000),
      attributes: maps ? new Map(attributes) : Object.fromEntries(attributes),
      history: [1, 2, 3, 4].map((n) => ({ n, by: `user-${n}` })),
    }
  }
  return { kind: 'order', at: date(1_700_000_000_000), items: Array.from({ length: 40 }, (_, i) => item(i)) }
}

/** A megabyte, if nothing else is said. */
export const makeBytes = (length = 1 << 20): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) & 255)
