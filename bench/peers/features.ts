import { join, relative } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
// @ts-expect-error: a script without types
import { packages as untyped } from '../../scripts/packages.mjs'
import type { Feature, Part } from './results.ts'

const packages = untyped as { doors: { specifier: string; source: string; built: string }[] }[]
const root = join(import.meta.dirname, '../..')

/** What a page imports for what. The ones after a door's first are that, and more. */
const IMPORTS: [title: string, imports: string][] = [
  ['`client/json`: calls, subscriptions, reconnecting', "export { createClient } from '@pairwire/client/json'"],
  ['and `safe`, `RpcError`', "export { createClient, safe, RpcError } from '@pairwire/client/json'"],
  ['`client`: and rich values, bytes, uploads', "export { createClient } from '@pairwire/client'"],
  ['and `safe`, `RpcError`', "export { createClient, safe, RpcError } from '@pairwire/client'"],
  ["and superjson's registered types", "export { createClient, superjsonTypes } from '@pairwire/client'"],
  [
    'and answering calls of the server',
    "export { createClient } from '@pairwire/client'\nexport { implement } from '@pairwire/router'\nexport { defineContract, query } from '@pairwire/contract'",
  ],
]

/** What files of the sources are there for; the first that fits. */
const PURPOSES: [purpose: string, files: RegExp][] = [
  ['dates, maps, bytes and other rich values', /wire\/src\/(rich|bytes|superjson)/],
  ['reconnecting, sessions, the connection', /client\/src\/(connection|link|verdict)|wire\/src\/(handshake|close)/],
  ['what waits, is sent again, or has been answered', /client\/src\/call-queue/],
  ['reading subscriptions, with flow control', /wire\/src\/inbox|contract\/src\/(subscription|tracked)/],
  ['uploads', /wire\/src\/(upload|sender)|contract\/src\/input-stream/],
  ['errors', /contract\/src\/(error|safe|issue|signal)|wire\/src\/(remote-error|report)/],
  ['the typed proxy', /wire\/src\/proxy|client\/src\/(create-client|index)|contract\/src\/name/],
  ['calls, frames, deadlines', /wire\/src\//],
]

const shared: BuildOptions & { write: false } = {
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  external: ['node:*', 'cloudflare:*', 'ws'],
  logLevel: 'silent',
  absWorkingDir: root,
}

/** Has the packages' doors lead to what is published, or to its sources. */
const doorsTo = (which: 'built' | 'source'): NonNullable<BuildOptions['plugins']> => {
  const files = new Map(packages.flatMap(({ doors }) => doors.map((door) => [door.specifier, door[which]])))
  return [
    {
      name: 'doors',
      setup({ onResolve }) {
        onResolve({ filter: /^@pairwire\// }, ({ path }) => {
          const file = files.get(path)
          return file ? { path: file, sideEffects: false } : undefined
        })
      },
    },
  ]
}
const bundled = (contents: string, which: 'built' | 'source') =>
  build({ ...shared, stdin: { contents, resolveDir: import.meta.dirname }, metafile: true, plugins: doorsTo(which) })

/** What each feature of a client costs a page, as far as what is imported decides. */
export const measureFeatures = async (gzip: (bytes: Uint8Array) => number): Promise<Feature[]> => {
  const features: Feature[] = []
  for (const [title, contents] of IMPORTS) {
    const bytes = (await bundled(contents, 'built')).outputFiles[0]!.contents
    features.push({ title, min: bytes.length, gzip: gzip(bytes) })
  }
  return features
}

/** What the minified bytes of the whole client are there for. */
export const measureParts = async (): Promise<Part[]> => {
  const { metafile } = await bundled("export { createClient } from '@pairwire/client'", 'source')
  const sums = new Map<string, number>()
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0]!.inputs)) {
    const file = relative(root, join(root, path))
    const purpose = PURPOSES.find(([, files]) => files.test(file))?.[0] ?? 'the rest'
    sums.set(purpose, (sums.get(purpose) ?? 0) + bytesInOutput)
  }
  return [...sums]
    .filter(([, min]) => min)
    .map(([purpose, min]) => ({ purpose, min }))
    .sort((a, b) => b.min - a.min)
}
