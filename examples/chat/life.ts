import type { Life } from './contract.ts'
import type { Env } from './env.ts'

/** Counts the lives of an object: to be called once in each, by its constructor. It costs a row per sleep. */
export const countLife = ({ kv }: DurableObjectStorage, { DEV }: Env): Life => {
  const woken = (kv.get<number>('woken') ?? -1) + 1
  kv.put('woken', woken)
  return { instance: crypto.randomUUID().slice(0, 6), woken, evictable: DEV !== undefined }
}
