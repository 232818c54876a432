import { existsSync, globSync, mkdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, join } from 'node:path'
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

/** Has the packages of another checkout bundled. What they need of others is this one's. */
const aliases = ({ sources }: Contender): BuildOptions => {
  if (!sources) return {}
  const folders = globSync(`${sources}/*/src`).map((folder) => join(folder, '..'))
  const alias = folders.map((folder) => [`@pairwire/${basename(folder)}`, join(folder, 'src')])
  const doors: NonNullable<BuildOptions['plugins']>[number] = {
    name: 'doors',
    setup({ onResolve }) {
      onResolve({ filter: /^@pairwire\// }, ({ path }) => {
        const [, name, door = 'index'] = path.split('/')
        const source = alias.find(([known]) => known === `@pairwire/${name}`)?.[1]
        return source && existsSync(`${source}/${door}.ts`) ? { path: `${source}/${door}.ts` } : undefined
      })
    },
  }
  return { plugins: [doors], nodePaths: [join(here, '../../packages/server/node_modules')] }
}

/** The same for all: minified, as it is deployed; not where a profile is to be read. */
const shared = (contender: Contender): BuildOptions => ({
  ...aliases(contender),
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

/** As a part of a file's name. */
export const slugOf = ({ name, dir, sources }: Contender): string => (sources ? name.replace(/\W+/g, '-') : dir)

const toFile = async (contender: Contender, kind: string, part: string): Promise<string> => {
  mkdirSync(out, { recursive: true })
  const outfile = join(out, `${slugOf(contender)}.${kind}.mjs`)
  await build({ ...shared(contender), ...forNode, entryPoints: [part], outfile })
  return outfile
}

/** Bundles a contender's client. Returns the file. */
export const bundleClient = (contender: Contender): Promise<string> =>
  toFile(contender, 'client', partOf(contender, 'client'))

/** Bundles a contender's server for Node. Returns the file. */
export const bundleNode = (contender: Contender): Promise<string> =>
  toFile(contender, 'server', partOf(contender, 'node', 'server'))

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
    ...shared(contender),
    stdin: { contents: text, resolveDir: here, loader: 'js' },
    write: false,
    conditions: ['workerd', 'worker', 'browser', 'import'],
    external: ['cloudflare:*', 'node:*'],
    plugins: [...(aliases(contender).plugins ?? []), builtins],
  })
  return outputFiles![0]!.text
}

/** Bytes after minify and gzip that a contender's client adds to a page. */
export const weighClient = async (contender: Contender, gzip: (bytes: Uint8Array) => number): Promise<number> => {
  const { outputFiles } = await build({
    ...shared(contender),
    minify: true,
    entryPoints: [partOf(contender, 'client')],
    write: false,
    platform: 'browser',
    external: ['ws', 'node:*', 'cloudflare:*'],
  })
  return gzip(outputFiles![0]!.contents)
}
