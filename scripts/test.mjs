// Everything that must hold, in one run: `npm test`. Its last line is `N passed, N failed`.
// While working, `node scripts/test.mjs --only vitest` runs the sections named; --list names them all.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parallel, root, run } from './run.mjs'

/** A check is one command. It counts as one test, unless its last line says `N passed, N failed` for itself. */
const tsc = (config) => ({ name: `tsc -p ${config}`, command: ['tsc', '-p', config, '--pretty', 'false'] })
const script = (name, ...args) => ({ name, command: ['node', name, ...args] })
const glob = (pattern) => globSync(pattern, { cwd: root }).filter((path) => !path.includes('node_modules'))

const SECTIONS = {
  lint: {
    title: 'Format and lint',
    checks: () => [{ name: 'biome check', command: ['biome', 'check', '--error-on-warnings', '--max-diagnostics=50'] }],
  },
  imports: { title: 'Imports run downhill', checks: () => [script('scripts/imports.mjs')] },
  typecheck: {
    title: 'Types: each package without any platform, tests on each platform, examples',
    width: 2,
    checks: () => [
      ...glob('packages/*/tsconfig*.json')
        .filter((path) => !path.includes('build'))
        .map(tsc),
      ...['tsconfig.json', 'tsconfig.workerd.json', 'tsconfig.browser.json'].map(tsc),
      ...glob('{examples/*,bench,docs}/tsconfig*.json')
        .filter((path) => !/base|consumer/.test(path))
        .map(tsc),
    ],
  },
  types: { title: 'Type tests', checks: () => [tsc('tsconfig.types.json')] },
  vitest: { title: 'Tests in Node, workerd and Chromium', checks: () => [{ name: 'vitest', count: vitest }] },
  build: {
    title: 'Build',
    checks: () => [
      { name: 'turbo run build', command: ['turbo', 'run', 'build', '--output-logs=errors-only', '--no-color'] },
    ],
  },
  pack: { title: 'Tarballs, and an app that installs them', checks: () => [script('scripts/pack.mjs')] },
  sizes: { title: 'Bundle sizes', print: true, checks: () => [script('scripts/sizes.mjs')] },
  cost: { title: 'What inference costs the compiler', print: true, checks: () => [script('bench/types/measure.mjs')] },
  guard: { title: 'What calls and events cost, counted', print: true, checks: () => [script('bench/guard/guard.ts')] },
  snippets: {
    title: 'Code and figures in the documentation',
    checks: () => [script('scripts/snippets.mjs'), script('scripts/figures.mjs')],
  },
  examples: { title: 'Examples', print: true, checks: () => [script('scripts/start.mjs', '--once')] },
}

/** Counts every test by itself; a test file or a project that did not run is a failure, not an absence. */
async function vitest() {
  const report = join(root, 'node_modules/.cache/pairwire/vitest.json')
  mkdirSync(join(report, '..'), { recursive: true })
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { ok, output } = await run(['vitest', 'run', '--silent=passed-only', ...reporters])
  const printed = output
    .split('\n')
    .filter((line) => !/^ ✓ /.test(line))
    .join('\n')
  if (!existsSync(report)) return { passed: 0, failed: 1, output: printed }
  const { testResults, numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  ).length
  const idle = ['node', 'workerd', 'chromium'].filter((project) => !output.includes(`|${project}`))
  const slept = evictions(testResults)
  const failed = numFailedTests + broken + idle.length + (slept.evictions ? 0 : 1)
  const skipped = numPendingTests + numTodoTests
  return {
    passed: numPassedTests,
    failed: failed || (ok && numPassedTests > 0 ? 0 : 1),
    output: [printed, ...idle.map((project) => `no test ran in ${project}`)].join('\n'),
    skipped,
    note: `    ${slept.cases} cases of ${slept.tests} tests ran in Durable Objects that were evicted ${slept.evictions} times, at ${slept.points} points between two frames`,
  }
}

/** What tests went through whose Durable Object was put out of memory while they ran: see packages/server/test/eviction. */
function evictions(testResults) {
  const sum = { tests: 0, cases: 0, points: 0, evictions: 0 }
  for (const { assertionResults } of testResults)
    for (const { meta } of assertionResults) {
      if (!meta?.evictions) continue
      const { cases, asleep, evictions } = meta.evictions
      sum.tests++
      sum.cases += cases
      sum.points += asleep
      sum.evictions += evictions
    }
  return sum
}

async function perform({ command, count }, print) {
  if (count) return count()
  if (command[0] === 'node' && !existsSync(join(root, command[1]))) {
    return { passed: 0, failed: 1, output: `${command[1]} is missing` }
  }
  const { ok, output } = await run(command, { print })
  const counts = /^(\d+) passed, (\d+) failed$/.exec(output.trimEnd().split('\n').at(-1))
  const [passed, failed] = counts ? counts.slice(1).map(Number) : [ok ? 1 : 0, ok ? 0 : 1]
  return { passed, failed: failed || (ok ? 0 : 1), output }
}

const args = process.argv.slice(2)
const only = args.flatMap((arg, at) => (args[at - 1] === '--only' ? arg.split(',') : []))
const unknown = only.filter((name) => !SECTIONS[name])
if (args.includes('--list') || unknown.length) {
  console.log(
    Object.entries(SECTIONS)
      .map(([name, { title }]) => `${name.padEnd(10)} ${title}`)
      .join('\n'),
  )
  process.exit(unknown.length ? 1 : 0)
}

const started = performance.now()
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`
const total = { passed: 0, failed: 0 }
console.log(`Node ${process.versions.node}`)
for (const [name, { title, checks, print = false, width = 1 }] of Object.entries(SECTIONS)) {
  if (only.length && !only.includes(name)) continue
  console.log(`\n== ${name}: ${title}`)
  const start = performance.now()
  await parallel(checks(), width, async (check) => {
    const { passed, failed, output, skipped, note } = await perform(check, print)
    total.passed += passed
    total.failed += failed
    if (failed && !(print && check.command && existsSync(join(root, check.command[1])))) console.log(output.trimEnd())
    const counts = passed + failed > 1 ? `: ${passed} passed, ${failed} failed` : ''
    console.log(`${failed ? 'FAILED' : 'ok'}  ${check.name}${counts}${skipped ? `, ${skipped} skipped` : ''}`)
    if (note) console.log(note)
  })
  console.log(`   ${seconds(start)}`)
}
console.log(`\nAll of it took ${seconds(started)}.\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed ? 1 : 0
