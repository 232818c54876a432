import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundleWorker, slugOf } from './bundle.ts'
import type { Host } from './contenders/index.ts'
import type { Plan } from './plan.ts'
import type { WorkerRow } from './results.ts'
import { spreadOf } from './spread.ts'

/** Milliseconds until a module has run, of a process that has done nothing else. workerd's own modules are empty ones. */
const PROGRAM = `
  import { registerHooks } from 'node:module'
  const empty = ['DurableObject', 'RpcTarget', 'RpcStub', 'WorkerEntrypoint', 'WorkflowEntrypoint', 'EmailMessage']
    .map((name) => 'export class ' + name + ' {}').join('\\n') + '\\nexport const env = {}, exports = {}, waitUntil = () => {}, connect = () => {}'
  registerHooks({
    resolve: (name, context, next) =>
      name.startsWith('cloudflare:') ? { url: 'data:text/javascript,' + encodeURIComponent(empty), shortCircuit: true } : next(name, context),
  })
  const file = process.argv[1]
  const began = performance.now()
  await import(file)
  console.log(performance.now() - began)
`

const HOSTS: readonly Host[] = ['object', 'hibernating']

const run = promisify(execFile)
const timeOf = async (file: string) => {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM, file])
  return Number(stdout)
}

/** What Workers weigh, and how long it takes until they have been imported. Everybody's has the same handlers, and zod. */
export const measureWorkers = async (
  { contenders, mode }: Plan,
  gzip: (bytes: Uint8Array) => number,
  failed: (text: string) => void,
): Promise<WorkerRow[]> => {
  const rows: (Omit<WorkerRow, 'ms'> & { file: string; times: number[] })[] = []
  const folder = join(import.meta.dirname, 'node_modules/.bench')
  mkdirSync(folder, { recursive: true })
  for (const contender of contenders)
    for (const host of HOSTS) {
      if (contender.only || !contender.hosts.includes(host)) continue
      try {
        const text = await bundleWorker(contender, host)
        const bytes = new TextEncoder().encode(text)
        const file = join(folder, `${slugOf(contender)}.${host}.import.mjs`)
        writeFileSync(file, text)
        rows.push({ host, contender: contender.name, min: bytes.length, gzip: gzip(bytes), file, times: [] })
      } catch (error) {
        failed(`worker of ${contender.name}: ${(error as Error).message.split('\n')[0]}`)
      }
    }
  // By turns, and the first time of each does not count: its file was not in memory.
  for (let round = 0; round <= (mode === 'full' ? 15 : 7); round++)
    for (const { contender, file, times } of rows)
      try {
        const time = await timeOf(file)
        if (round) times.push(time)
      } catch (error) {
        if (!round) failed(`import of ${contender}: ${(error as Error).message.split('\n').at(-1)}`)
      }
  return rows.map(({ host, contender, min, gzip, times }) => {
    const ms = spreadOf(times)
    return { host, contender, min, gzip, ...(ms && { ms }) }
  })
}
