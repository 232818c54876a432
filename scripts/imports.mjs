// Checks that imports run downhill only: no circle, not even of types, and no package that reaches above its floor.
// Biome's noImportCycles and noRestrictedImports come close, but do not see `import('./x.ts').Type`, a bare
// `import '@pairwire/server'` or an awaited one.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { parseSync } from 'oxc-parser'

/** What each package may import of the others; contract is the ground, and wire does not know who answers. */
const FLOORS = {
  contract: [],
  wire: ['contract'],
  router: ['contract', 'wire'],
  server: ['contract', 'wire', 'router'],
  client: ['contract', 'wire'],
  'websocket-pair': [],
}

/** Built-in modules of one platform belong behind the door that is named after it. */
const PLATFORM_DOORS = { 'node:': /^node(\.ts$|\/)/, 'cloudflare:': /^durable(\.ts$|\/)/ }

/** Tests, and the suites they share, may import any package. They are not published. */
const TESTS = /\.test(-d)?\.tsx?$|^conformance(\.ts$|[\\/])/

const root = resolve(import.meta.dirname, '..')
const problems = []

/** Every module a file names, wherever: import, export from, import(), import type and import('x').Type. */
function importsOf(file) {
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'))
  for (const { message } of errors) problems.push(`${relative(root, file)}: ${message}`)
  const found = []
  const walk = (node) => {
    if (!node || typeof node !== 'object') return
    if (Array.isArray(node)) return node.forEach(walk)
    const source = node.source ?? (node.type === 'TSExternalModuleReference' ? node.expression : undefined)
    if (/^(Import|Export|TSImport|TSExternal)/.test(node.type ?? '') && typeof source?.value === 'string')
      found.push({ name: source.value, start: node.start, all: node.type === 'ExportAllDeclaration' && !node.exported })
    for (const key in node) walk(node[key])
  }
  walk(program.body)
  return found
}

function checkPackage(name) {
  const home = join(root, 'packages', name)
  const source = join(home, 'src')
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
  const graph = new Map()

  for (const dependency of Object.keys(declared)) {
    if (dependency.startsWith('@pairwire/') && !FLOORS[name].includes(dependency.slice(10)))
      problems.push(`packages/${name}/package.json: ${name} may not depend on ${dependency}`)
  }

  const files = globSync('**/*.{ts,tsx}', { cwd: source }).filter((file) => !TESTS.test(file))
  for (const path of files) {
    const file = join(source, path)
    const text = readFileSync(file, 'utf8')
    const below = []
    graph.set(file, below)
    for (const { name: module, start, all } of importsOf(file)) {
      const complain = (why) => {
        const line = text.slice(0, start).split('\n').length
        problems.push(`packages/${name}/src/${path}:${line}: '${module}' ${why}`)
      }
      const owner = module.startsWith('@') ? module.split('/', 2).join('/') : module.split('/')[0]
      const platform = Object.keys(PLATFORM_DOORS).find((prefix) => module.startsWith(prefix))
      if (module.startsWith('.')) {
        const target = resolve(dirname(file), module)
        if (!target.startsWith(source + sep)) complain('leaves the package')
        else if (!existsSync(target) || !/\.tsx?$/.test(target)) complain('is no file; write the full name, with .ts')
        else below.push(target)
        if (all && !path.includes(sep)) complain('is re-exported whole: a door is a list')
      } else if (platform) {
        if (!PLATFORM_DOORS[platform].test(path.replaceAll(sep, '/'))) complain('exists on one platform only')
      } else if (owner.startsWith('@pairwire/') && !FLOORS[name].includes(owner.slice(10))) {
        complain(`is not below ${name}, which may import ${FLOORS[name].join(', ') || 'no other package'}`)
      } else if (!declared[owner]) complain('is not among the dependencies in package.json')
    }
  }
  for (const circle of circles(graph)) {
    problems.push(`circle: ${circle.map((file) => relative(join(root, 'packages'), file)).join(' → ')}`)
  }
  return files.length
}

/** One circle for each back edge of a depth-first walk: none is missed, though not every variant is listed. */
function circles(graph) {
  const found = []
  const done = new Set()
  const path = []
  const visit = (file) => {
    if (path.includes(file)) return found.push([...path.slice(path.indexOf(file)), file])
    if (done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return found
}

for (const name of globSync('*/package.json', { cwd: join(root, 'packages') }).map(dirname)) {
  if (!FLOORS[name]) problems.push(`packages/${name} has no floor: add it to scripts/imports.mjs`)
}
let count = 0
for (const name of Object.keys(FLOORS)) count += checkPackage(name)

for (const problem of problems) console.error(problem)
console.log(`${count} files, ${problems.length} problems`)
process.exitCode = problems.length ? 1 : 0
