// Where the time goes: `node bench/peers/profile.ts in100`, with `--host object`, `--only raw`. Shares hold on a busy machine, too.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Host } from './contenders/index.ts'
import { type Profile, profileWorker } from './workerd-profiler.ts'
import type { Measured } from './workloads.ts'

process.env.BENCH_READABLE = '1'
const { cellsOf } = await import('./cells.ts')
const { contenders } = await import('./contenders/index.ts')
const { start } = await import('./start.ts')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: 'node' },
    only: { type: 'string', default: 'pairwire' },
    ms: { type: 'string', default: '2500' },
    top: { type: 'string', default: '22' },
  },
})

/** Microseconds, of the 200 between two samples: what is more, workerd has slept, and says so nowhere. */
const LONGEST = 600

/** esbuild says above each file's part of a bundle which it is. */
const filesOf = (bundle: string) => {
  const root = join(import.meta.dirname, '../..')
  let file = ''
  return bundle.split('\n').map((line) => {
    const named = /^\/\/ (\.\.?\/\S+|\S+\.(?:ts|mjs|js|cjs))$/.exec(line)?.[1]
    if (named) file = relative(root, join(import.meta.dirname, named)).replace(/.*node_modules\//, '')
    return file
  })
}
const read = new Map<string, string[]>()
const linesOf = (path: string) => {
  if (!read.has(path)) read.set(path, filesOf(readFileSync(path, 'utf8')))
  return read.get(path)!
}

/** Of each function that was seen at work, microseconds. */
const timesOf = ({ nodes, samples, timeDeltas }: Profile, bundle: (url: string) => string | undefined) => {
  const names = new Map<number, string>()
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame
    const path = bundle(url)
    const place = path ? linesOf(path)[lineNumber] || 'bundle' : url.replace(/^.*node_modules\//, '')
    names.set(id, `${functionName || '(anonymous)'}  ${path ? `${place}` : place}`.trim())
  }
  const times = new Map<string, number>()
  for (const [i, sample] of samples.entries()) {
    const name = names.get(sample)!
    // Neither what it waits, nor what profiling itself takes.
    if (!/^\((idle|root)\)|node:inspector/.test(name))
      times.set(name, (times.get(name) ?? 0) + Math.min(timeDeltas[i]!, LONGEST))
  }
  return times
}

const print = (title: string, times: Map<string, number>, count: number) => {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  const share = (time: number) =>
    `${((time / total) * 100).toFixed(1).padStart(5)} %  ${(time / count).toFixed(3).padStart(8)} µs`
  const sorted = (of: Map<string, number>) => [...of].sort((a, b) => b[1] - a[1])
  const byFile = new Map<string, number>()
  for (const [name, time] of times) {
    const file = name.split('  ')[1] ?? name
    byFile.set(file, (byFile.get(file) ?? 0) + time)
  }
  console.log(`\n${title}: ${(total / count).toFixed(2)} µs each`)
  for (const [name, time] of sorted(byFile).slice(0, 14)) console.log(`  ${share(time)}  ${name}`)
  console.log('  by function')
  for (const [name, time] of sorted(times).slice(0, Number(values.top))) console.log(`  ${share(time)}  ${name}`)
}

const host = values.host as Host
const contender = contenders.find(({ name }) => name === values.only)
if (!contender) throw new Error(`no contender ${values.only}`)
const folder = mkdtempSync(join(tmpdir(), 'profile-'))
const cells = cellsOf({ ms: Number(values.ms), events: 200_000, subscribers: 500, casts: 100 })
for (const key of positionals) {
  const cell = cells.find((cell) => cell.key === key)
  if (!cell) throw new Error(`no cell ${key}: ${cells.map((cell) => cell.key).join(', ')}`)
  const pair = await start(contender, host)
  // Twice: what is compiled and optimised on the way is not what is asked for.
  await pair.client(cell.workload, { ...cell.args, ms: 1_000 })
  const worker = host === 'node' ? undefined : await profileWorker(pair.served.inspector!)
  const [client, server] = [join(folder, 'client.cpuprofile'), join(folder, 'server.cpuprofile')]
  await pair.client('profile')
  if (!worker) await pair.server('profile')
  const { count, perSecond } = (await pair.client(cell.workload, cell.args)) as Measured
  const bundles = join(import.meta.dirname, 'node_modules/.bench')
  const workerFile = join(bundles, `${contender.name.replace(/\W+/g, '-')}.${host}.mjs`)
  const inWorker = await worker?.stop()
  await pair.client('profiled', client)
  if (!worker) await pair.server('profiled', server)
  await pair.stop()
  // As many came before those that were counted.
  const all = cell.cold ? count : count * 2
  const onNode = (url: string) => (url.includes('.bench/') ? fileURLToPath(url) : undefined)
  console.log(`\n## ${contender.name}, ${host}, ${key}: ${Math.round(perSecond)} per second`)
  print('client', timesOf(JSON.parse(readFileSync(client, 'utf8')), onNode), all)
  print(
    'server',
    inWorker
      ? timesOf(inWorker, (url) => (url.includes('main.mjs') || url.startsWith('bench') ? workerFile : undefined))
      : timesOf(JSON.parse(readFileSync(server, 'utf8')), onNode),
    all,
  )
}
process.exit()
