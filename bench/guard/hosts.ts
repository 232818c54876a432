// Where frames are counted: Node and workerd, over sockets of the operating system.
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { WebSocket } from 'ws'
import { createClient } from '../../packages/client/src/index.ts'
import { listen } from '../../packages/server/src/node.ts'
import { type Contract, serve } from './app.ts'
import type { GuardClient } from './workloads.ts'

/** What has gone over a client's socket. */
export interface Traffic {
  framesOut: number
  framesIn: number
  bytesOut: number
  bytesIn: number
}

export interface Host {
  name: string
  url: string
}

export const openClient = async ({ url }: Host): Promise<{ client: GuardClient; traffic(): Traffic }> => {
  const frames = { framesOut: 0, framesIn: 0 }
  let tcp: { bytesWritten: number; bytesRead: number } | undefined
  class Counted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { perMessageDeflate: false })
      this.on('upgrade', ({ socket }) => {
        tcp = socket
      })
      this.on('message', () => {
        frames.framesIn++
      })
    }
    override send(data: never) {
      frames.framesOut++
      super.send(data)
    }
  }
  const client = createClient<Contract>(url, { WebSocket: Counted as never })
  await client.add({ a: 1, b: 2 })
  return { client, traffic: () => ({ ...frames, bytesOut: tcp!.bytesWritten, bytesIn: tcp!.bytesRead }) }
}

const startWorkerd = async (plugins: BuildOptions['plugins']): Promise<{ url: string; close(): Promise<void> }> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser', 'import'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
    ...(plugins && { plugins }),
  })
  const objects = ['Awake', 'Sleeper']
  const entriesOf = (of: (name: string) => unknown) => Object.fromEntries(objects.map((name) => [name, of(name)]))
  const miniflare = new Miniflare({
    workers: [
      {
        config: {
          name: 'guard',
          compatibilityDate: '2026-06-01',
          manifest: {
            mainModule: 'main.mjs',
            modules: { 'main.mjs': { type: 'esm', contents: outputFiles![0]!.text } },
          },
          env: entriesOf((exportName) => ({ type: 'durable-object', worker: 'guard', exportName })),
          exports: entriesOf(() => ({ type: 'durable-object', storage: 'sqlite' })),
        },
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
      },
    ],
  } as ConstructorParameters<typeof Miniflare>[0])
  const { port } = await miniflare.unsafeGetDirectURL('guard')
  return { url: `ws://127.0.0.1:${port}`, close: () => miniflare.dispose() }
}

/** Starts all of them. `plugins` may change what workerd is given. */
export const startHosts = async (
  plugins?: BuildOptions['plugins'],
): Promise<{ hosts: Host[]; close(): Promise<unknown> }> => {
  const [node, workerd] = await Promise.all([listen(serve()), startWorkerd(plugins)])
  return {
    hosts: [
      { name: 'Node', url: node.url },
      { name: 'a Worker', url: `${workerd.url}/worker` },
      { name: 'a Durable Object', url: `${workerd.url}/object` },
      { name: 'a hibernating object', url: `${workerd.url}/hibernating` },
    ],
    close: () => Promise.all([node.close(), workerd.close()]),
  }
}
