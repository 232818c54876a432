// Serves a worker in workerd, off the network, with its Durable Objects as they are on Cloudflare: they fall asleep by
// themselves, and code can be deployed while sockets are open.
import '../../../../scripts/quiet.mjs'
import { build } from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'

const SCRIPT = 'worker'
const ROOT = '/'

export interface ServeOptions {
  /** The worker's main file. */
  readonly main: URL
  /** Its classes of objects, by the bindings under which the worker finds them. */
  readonly objects: Readonly<Record<string, string>>
  /** What `VERSION` stands for in its code. */
  readonly version?: string
}

export interface Served {
  readonly http: string
  readonly ws: string
  readonly port: number
  /** Puts an object to sleep: it is out of memory after that, and its sockets are open. */
  evict(name: string, className?: string): Promise<void>
  /** Calls a method of an object, as another Worker would. */
  call(name: string, method: string, ...args: unknown[]): Promise<unknown>
  /** Replaces the code, as a deploy does: every object ends, and every socket is lost. */
  deploy(version: string): Promise<void>
  close(): Promise<void>
}

const bundle = async (main: URL, version: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [main.pathname],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    define: { VERSION: JSON.stringify(version) },
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0]!.text
}

/** @returns where it listens; the worker has to answer `POST /call/<object>/<method>`: see `relay` */
export const serve = async ({ main, objects, version = 'one' }: ServeOptions): Promise<Served> => {
  const [first] = Object.values(objects)
  const optionsFor = async (version: string, port: number) => ({
    host: '127.0.0.1',
    port,
    cf: false,
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      {
        config: {
          name: SCRIPT,
          compatibilityDate: '2026-11-01',
          manifest: {
            mainModule: 'worker.js',
            modulesRoot: ROOT,
            modules: { 'worker.js': { type: 'esm', contents: await bundle(main, version) } },
          },
          env: Object.fromEntries(
            Object.entries(objects).map(([binding, exportName]) => [
              binding,
              { type: 'durable-object', worker: SCRIPT, exportName },
            ]),
          ),
          exports: Object.fromEntries(
            Object.values(objects).map((exportName) => [exportName, { type: 'durable-object', storage: 'sqlite' }]),
          ),
        },
      },
    ],
  })
  const miniflare = new Miniflare((await optionsFor(version, 0)) as never)
  const port = Number((await miniflare.ready).port)
  const http = `http://127.0.0.1:${port}`
  return {
    http,
    ws: `ws://127.0.0.1:${port}`,
    port,
    evict: (name, className = first!) => miniflare.unsafeEvictDurableObject(SCRIPT, className, { name }),
    async call(name, method, ...args) {
      const response = await fetch(`${http}/call/${name}/${method}`, { method: 'POST', body: JSON.stringify(args) })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} of ${name}: ${text}`)
      return text ? JSON.parse(text) : undefined
    },
    async deploy(version) {
      await miniflare.setOptions((await optionsFor(version, port)) as never)
    },
    close: () => miniflare.dispose(),
  }
}
