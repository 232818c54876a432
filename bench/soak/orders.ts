import type { ChildProcess } from 'node:child_process'
import type { Held } from '../../packages/server/src/index.ts'

/** What the server's process did and holds. */
export interface Account {
  /** By the id of a call: how often it ran. */
  runs: Map<number, number>
  /** Errors that were hidden from their callers, and what nobody caught. */
  hidden: string[]
}

/** What this process tells the server's process to do. */
export interface Orders {
  /** Starts one more server. Returns its port. */
  start(): Promise<number>
  /** The server that is up longest goes. */
  retire(how: { drain: boolean }): Promise<void>
  /** Publishes one last event, and no more. Returns how many there were. */
  hush(): Promise<number>
  /** Of all servers, also those that are gone. */
  held(): Promise<Held & { subscribers: number }>
  /** Hands over what was counted, and forgets it. */
  account(): Promise<Account>
  /** Bytes of memory in use. */
  heap(): Promise<number>
  /** Names of what would keep the process from ending, now that the last server is gone. */
  handles(): Promise<string[]>
}

type Order = { [Name in keyof Orders]: { id: number; name: Name; args: Parameters<Orders[Name]> } }[keyof Orders]
type Report = { id: number; value: unknown; error?: string }

/** Gives orders to a process. It ends when it is let go, and nothing else keeps it. */
export const command = (host: ChildProcess): { orders: Orders; release(): void } => {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  host.on('message', ({ id, value, error }: Report) => {
    const { resolve, reject } = waiting.get(id)!
    waiting.delete(id)
    if (error) reject(new Error(error))
    else resolve(value)
  })
  host.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the server's process ended (${code})`))
  })
  const give = (name: keyof Orders, args: unknown[]) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject })
      host.send({ id: last, name, args })
    })
  const orders = new Proxy({} as Orders, {
    get:
      (_, name: keyof Orders) =>
      (...args: unknown[]) =>
        give(name, args),
  })
  return { orders, release: () => host.disconnect() }
}

/** Takes orders from the process that started this one. */
export const obey = (orders: Orders): void => {
  process.on('message', async ({ id, name, args }: Order) => {
    try {
      process.send!({ id, value: await (orders[name] as (...args: unknown[]) => unknown)(...args) })
    } catch (error) {
      process.send!({ id, error: String(error) })
    }
  })
}
