import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleClient, bundleNode, bundleWorker, slugOf } from './bundle.ts'
import type { Contender, Host } from './contenders/index.ts'
import type { Served } from './host/client.ts'
import { command, hear } from './host/orders.ts'

/** A server and a client of one contender, each in a process of its own. */
export interface Pair {
  readonly contender: Contender
  readonly served: Served
  /** Has the client, or the server, do something. */
  client(order: string, argument?: unknown): Promise<unknown>
  server(order: string, argument?: unknown): Promise<unknown>
  stop(): Promise<void>
}

const here = import.meta.dirname
/** Longer than anything takes. */
const PATIENCE = 90_000
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

const bundles = new Map<string, Promise<string>>()
const bundled = (key: string, make: () => Promise<string>) => {
  if (!bundles.has(key)) bundles.set(key, make())
  return bundles.get(key)!
}

const workerFile = async (contender: Contender, host: Host) => {
  const folder = join(here, 'node_modules/.bench')
  const file = join(folder, `${contender.name.replace(/\W+/g, '-')}.${host}.mjs`)
  const text = await bundleWorker(contender, host)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, text)
  return file
}

const run = (file: string, args: string[], gc = false) => {
  const child = fork(join(here, 'host', file), args, {
    execArgv: gc ? ['--expose-gc'] : [],
    stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore', 'ipc'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** @param gc whether the server can collect its garbage when asked to */
export const start = async (contender: Contender, host: Host, gc = false): Promise<Pair> => {
  const as = JSON.stringify(contender)
  const serve = async () => {
    if (host === 'node')
      return run('node.ts', [as, await bundled(`node ${slugOf(contender)}`, () => bundleNode(contender))], gc)
    const file = await bundled(`${host} ${contender.name}`, () => workerFile(contender, host))
    return run('workerd.ts', [as, host, file])
  }
  const server = await serve()
  const served = await hear<Served>(server, PATIENCE)
  const file = await bundled(`client ${slugOf(contender)}`, () => bundleClient(contender))
  const client = run('client.ts', [as, JSON.stringify(served), file])
  await hear(client, PATIENCE)
  return {
    contender,
    served,
    client: (order, argument) => command(client, order, argument, PATIENCE),
    server: (order, argument) => command(server, order, argument, PATIENCE),
    async stop() {
      const over = [client, server]
        .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
        .map((child) => once(child, 'exit'))
      for (const child of [client, server]) if (child.connected) child.disconnect()
      await Promise.race([Promise.all(over), sleep(3_000)])
      for (const child of [client, server]) if (children.has(child)) child.kill('SIGKILL')
      // workerd would outlive a parent that had to be killed.
      if (host !== 'node' && served.pid)
        try {
          process.kill(served.pid)
        } catch {
          // It has ended.
        }
    },
  }
}
