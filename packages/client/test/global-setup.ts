import { resolve } from 'node:path'
import { build } from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'
import type { TestProject } from 'vitest/node'
import { serve } from '../../server/test/suites/node.ts'
import { serveRemote } from './delivery/remote.ts'

const packages = resolve(import.meta.dirname, '../..')
const names = ['contract', 'wire', 'router', 'server']

/** The worker of the suites, as one module. */
const bundle = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [`${packages}/server/test/worker.ts`],
    alias: {
      '@pairwire/server/durable': `${packages}/server/src/durable.ts`,
      ...Object.fromEntries(names.map((name) => [`@pairwire/${name}`, `${packages}/${name}/src/index.ts`])),
    },
    external: ['cloudflare:*'],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  })
  return outputFiles[0]!.text
}

/** Starts the servers that browser tests talk to. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const node = await serve('*')
  const delivery = await serveRemote()
  const workerd = new Miniflare({
    cf: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      {
        config: {
          name: 'suites',
          compatibilityDate: '2026-11-01',
          manifest: {
            mainModule: 'worker.js',
            modulesRoot: packages,
            modules: { 'worker.js': { type: 'esm', contents: await bundle() } },
          },
          env: {
            OBJECT: { type: 'durable-object', worker: 'suites', exportName: 'TestObject' },
            OPEN: { type: 'json', value: true },
          },
          exports: { TestObject: { type: 'durable-object', storage: 'sqlite' } },
        },
      },
    ],
  })
  const { host } = await workerd.ready
  provide('nodeUrl', `ws://${node.host}`)
  provide('workerdUrl', `ws://${host}`)
  provide('deliveryUrl', delivery.control)
  return async () => {
    await Promise.all([workerd.dispose(), node.close(), delivery.close()])
  }
}
