// Serves an example in workerd, without wrangler around it: quick to start, silent, and off the network.
import '../quiet.mjs'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { root } from '../run.mjs'
import { buildExample } from './build.mjs'
import { evictor } from './evict.mjs'

const cache = join(root, 'node_modules/.cache/pairwire')

/**
 * An example that wants to put its own objects to sleep finds a binding `DEV` here: see evict.mjs. Without `dev` it does
 * not, as where it is deployed.
 *
 * @param {string} name a folder of examples/ with a wrangler.json
 * @param {{ port?: number, dev?: boolean }} [options] the port; without it any free one
 * @returns {Promise<{
 *   url: string,
 *   evict(className: string, name: string): Promise<void>,
 *   deploy(): Promise<void>,
 *   close(): Promise<void>
 * }>} `evict` puts an object to sleep; `deploy` starts all of it again, and drops every socket
 */
export async function serveExample(name, { port = 0, dev = true } = {}) {
  mkdirSync(cache, { recursive: true })
  const assets = mkdtempSync(join(cache, `${name}-`))
  const remove = () => rmSync(assets, { recursive: true, force: true })
  let miniflare
  const close = async () => {
    await miniflare?.dispose()
    remove()
  }
  try {
    const { config, worker } = await buildExample(name, assets)
    const options = {
      host: '127.0.0.1',
      port,
      cf: false,
      logRequests: false,
      log: new Log(LogLevel.ERROR),
      workers: [
        {
          config: {
            name: config.name,
            compatibilityDate: config.compatibility_date,
            manifest: {
              mainModule: 'worker.js',
              modulesRoot: root,
              modules: { 'worker.js': { type: 'esm', contents: worker } },
            },
            ...bindings(config, dev),
            ...(config.assets && { assets: assetsOf(config, assets) }),
          },
        },
      ],
    }
    miniflare = new Miniflare(options)
    const { port: actual } = await miniflare.ready
    return {
      url: `http://localhost:${actual}`,
      evict: (className, object) => miniflare.unsafeEvictDurableObject(config.name, className, { name: object }),
      deploy: async () => {
        await miniflare.setOptions({ ...options, port: Number(actual) })
      },
      close,
    }
  } catch (error) {
    await close().catch(() => {}) // what did not start may not be able to stop
    throw error
  }
}

const assetsOf = ({ assets: { not_found_handling: notFoundHandling = 'none' } }, directory) => ({
  directory,
  hasUserWorker: true,
  notFoundHandling,
})

/** Bindings to Durable Objects of the worker itself, as wrangler.json has them, and one to whoever evicts them. */
function bindings({ name: worker, durable_objects: { bindings = [] } = {} }, dev) {
  const type = 'durable-object'
  return {
    env: {
      ...Object.fromEntries(bindings.map(({ name, class_name }) => [name, { type, worker, exportName: class_name }])),
      ...(dev && bindings.length && { DEV: evictor(worker) }),
    },
    exports: Object.fromEntries(bindings.map(({ class_name }) => [class_name, { type, storage: 'sqlite' }])),
  }
}
