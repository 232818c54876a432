// Packs every package as publishing would, examines each tarball, and builds an app that has installed them.
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packages } from './packages.mjs'
import { parallel, root, run } from './run.mjs'

const PARTS = { worker: 'tsconfig.json', browser: 'tsconfig.browser.json', node: 'tsconfig.node.json' }

let passed = 0
let failed = 0
const verdict = (name, problem) => {
  if (problem) {
    failed++
    console.log(`FAILED  ${name}\n${problem.trim()}`)
  } else {
    passed++
    console.log(`ok  ${name}`)
  }
}
const check = async (name, command, options) => {
  const { ok, output } = await run(command, options)
  verdict(name, ok ? undefined : output || 'failed without a word')
  return ok
}

const temp = mkdtempSync(join(tmpdir(), 'pairwire-pack-'))
try {
  const tarballs = await parallel(packages, 2, pack)
  const complete = tarballs.every(Boolean)
  if (complete) await consume(Object.fromEntries(packages.map(({ manifest }, at) => [manifest.name, tarballs[at]])))
  else verdict('an app with the packages installed', 'a tarball is missing')
} finally {
  rmSync(temp, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0

async function pack({ name, home, manifest, doors }) {
  const folder = join(temp, name)
  mkdirSync(folder)
  const { ok, output } = await run(['pnpm', 'pack', '--pack-destination', folder], { cwd: home })
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (!ok || !tarball) return void verdict(`pnpm pack ${manifest.name}`, output)
  const path = join(folder, tarball)
  await check(`publint ${manifest.name}`, ['publint', 'run', path, '--strict'])
  await check(`attw ${manifest.name}`, ['attw', path, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'])
  await run(['tar', '-xzf', path, '-C', folder])
  verdict(`contents of ${manifest.name}`, contents(join(folder, 'package'), doors))
  return path
}

/** A tarball holds what its doors promise, no tests, and no word about the machine it was made on. */
function contents(folder, doors) {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const problems = []
  for (const { specifier } of doors) {
    const door = `.${specifier
      .split('/')
      .slice(2)
      .map((part) => `/${part}`)
      .join('')}`
    for (const condition of ['types', 'default']) {
      const file = exports[door]?.[condition]
      if (!file || !files.includes(join(folder, file))) problems.push(`door '${door}' has no ${condition}: ${file}`)
    }
  }
  if (!exports['./package.json']) problems.push("no door './package.json'")
  for (const wanted of ['LICENSE', 'README.md']) {
    if (!files.includes(join(folder, wanted))) problems.push(`no ${wanted}`)
  }
  const secrets = [root, `${homedir()}/`, `${tmpdir()}/`, 'workspace:', 'catalog:']
  for (const file of files) {
    const shown = file.slice(folder.length + 1)
    if (/\.test(-d)?\.tsx?$/.test(file)) problems.push(`${shown} is a test`)
    const text = readFileSync(file, 'utf8')
    for (const word of secrets) if (text.includes(word)) problems.push(`${shown} mentions ${word}`)
  }
  return problems.join('\n')
}

/** Installs the tarballs as a user would, under pnpm's strict node_modules, where an unsayable type shows as TS2742. */
async function consume(tarballs) {
  const app = join(temp, 'consumer')
  const own = (source) => !/node_modules|dist/.test(basename(source))
  cpSync(join(root, 'examples/consumer'), app, { recursive: true, filter: own })
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
  const catalog = Object.fromEntries(
    [...readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').matchAll(/^ {2}"?([@\w/-]+)"?: (\d\S*)$/gm)].map(
      ([, name, version]) => [name, version],
    ),
  )
  for (const kind of ['dependencies', 'devDependencies']) {
    for (const name in manifest[kind]) {
      const version = manifest[kind][name]
      if (tarballs[name]) manifest[kind][name] = `file:${tarballs[name]}`
      else if (version === 'catalog:') manifest[kind][name] = catalog[name]
    }
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, null, 2))
  const overrides = Object.entries(tarballs).map(([name, path]) => `  "${name}": "file:${path}"`)
  writeFileSync(join(app, 'pnpm-workspace.yaml'), ['packages: []', 'overrides:', ...overrides, ''].join('\n'))
  const install = ['pnpm', 'install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile']
  if (!(await check('an app installs the tarballs', install, { cwd: app }))) return

  // The workspace's TypeScript, and the oldest that users are promised: the app brings it along.
  const compilers = [
    ['TypeScript 7', 'tsc'],
    ['TypeScript 5.9', join(app, 'node_modules/.bin/tsc')],
  ]
  const nodenext = ['--module', 'nodenext', '--moduleResolution', 'nodenext']
  for (const [part, config] of Object.entries(PARTS)) {
    for (const [compiler, tsc] of compilers) {
      for (const [resolution, flags] of Object.entries({ bundler: [], nodenext })) {
        const command = [tsc, '-p', config, '--pretty', 'false', ...flags]
        await check(`its ${part} part compiles: ${compiler}, ${resolution}`, command, { cwd: app })
      }
    }
  }
  // Doors that need neither a browser nor a Durable Object also have to load in plain Node.
  const doors = packages
    .flatMap(({ doors, manifest: { name } }) => (manifest.dependencies[name] ? doors : []))
    .filter(({ specifier }) => !specifier.endsWith('/durable'))
  const load = doors.map(({ specifier }) => `await import('${specifier}')`).join('\n')
  await check('its doors load in Node', ['node', '--input-type=module', '--eval', load], { cwd: app })
}
