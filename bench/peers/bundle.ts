import { existsSync, mkdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import type { Contender, Host } from './contenders/index.ts'

const here = import.meta.dirname
/** Beside the packages that bundles still import. */
const out = join(here, 'node_modules/.bench')

/** A Worker's modules import `node:` ones by that name. */
const builtins: NonNullable<BuildOptions['plugins']>[number] = {
  name: 'builtins',
  setup({ onResolve }) {
    onResolve({ filter: /^[a-z_/]+$/ }, ({ path }) =>
      builtinModules.includes(path) ? { path: `node:${path}`, external: true } : undefined,
    )
  },
}

/** The same for all: minified, as it is deployed; not where a profile is to be read. */
const shared = (): BuildOptions => ({
  absWorkingDir: here,
  bundle: true,
  minify: !process.env.BENCH_READABLE,
  format: 'esm',
  target: 'es2022',
  mainFields: ['module', 'main'],
  logLevel: 'error',
})

const forNode: BuildOptions = {
  platform: 'node',
  conditions: ['node', 'import'],
  external: ['ws', 'bufferutil', 'utf-8-validate'],
  banner: { js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url);" },
}

const partOf = ({ dir }: Contender, ...names: string[]): string => {
  const found = names
    .flatMap((name) => [`${name}.ts`, `${name}.mjs`])
    .find((file) => existsSync(join(here, 'contenders', dir, file)))
  if (!found) throw new Error(`${dir} has none of ${names.join(', ')}`)
  return `./contenders/${dir}/${found}`
}

const toFile = async (name: string, part: string): Promise<string> => {
  mkdirSync(out, { recursive: true })
  const outfile = join(out, name)
  await build({ ...shared(), ...forNode, entryPoints: [part], outfile })
  return outfile
}

/** Bundles a contender's client. Returns the file. */
export const bundleClient = (contender: Contender): Promise<string> =>
  toFile(`${contender.dir}.client.mjs`, partOf(contender, 'client'))

/** Bundles a contender's server for Node. Returns the file. */
export const bundleNode = (contender: Contender): Promise<string> =>
  toFile(`${contender.dir}.server.mjs`, partOf(contender, 'node', 'server'))

/** Bundles a contender's server as a Worker. Returns its text. */
export const bundleWorker = async (contender: Contender, host: Host): Promise<string> => {
  const sleeps = host === 'hibernating'
  const text = `
    import { DurableObject } from 'cloudflare:workers'
    import { makeRoom } from './app.ts'
    import * as contender from '${partOf(contender, sleeps ? 'hibernating' : 'server')}'
    import { answer } from './host/worker.ts'
    const opts = ${JSON.stringify(contender.opts)}
    const room = makeRoom()
    export const Bench = ${
      sleeps
        ? 'contender.durableObject({ room, opts, DurableObject })'
        : 'class extends DurableObject { server = contender.create({ room, opts }); fetch(request) { return answer(this.server, request) } }'
    }
    let server
    export default { fetch(request, env) { ${
      host === 'worker'
        ? 'server ??= contender.create({ room, opts }); return answer(server, request)'
        : "return env.Bench.getByName('one').fetch(request)"
    } } }`
  const { outputFiles } = await build({
    ...shared(),
    stdin: { contents: text, resolveDir: here, loader: 'js' },
    write: false,
    conditions: ['workerd', 'worker', 'browser', 'import'],
    external: ['cloudflare:*', 'node:*'],
    plugins: [builtins],
  })
  return outputFiles![0]!.text
}

/** Bytes after minify and gzip that a contender's client adds to a page. */
export const weighClient = async (contender: Contender, gzip: (bytes: Uint8Array) => number): Promise<number> => {
  const { outputFiles } = await build({
    ...shared(),
    minify: true,
    entryPoints: [partOf(contender, 'client')],
    write: false,
    platform: 'browser',
    external: ['ws', 'node:*', 'cloudflare:*'],
  })
  return gzip(outputFiles![0]!.contents)
}
