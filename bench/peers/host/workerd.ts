// A process with one contender's server in workerd. Its arguments: the contender, the host, and the bundle.
import { readFileSync } from 'node:fs'
import { Miniflare } from 'miniflare'
import type { Contender, Host } from '../contenders/index.ts'
import { workerdOf } from '../machine.ts'
import { obey } from './orders.ts'

const contender = JSON.parse(process.argv[2]!) as Contender
const host = process.argv[3] as Host
const contents = readFileSync(process.argv[4]!, 'utf8')
const inspect = !!process.env.BENCH_READABLE

const miniflare = new Miniflare({
  ...(inspect && { inspectorPort: 0 }),
  workers: [
    {
      config: {
        name: 'bench',
        compatibilityDate: '2026-06-01',
        compatibilityFlags: ['nodejs_compat', ...(contender.opts.flags ?? [])],
        manifest: { mainModule: 'main.mjs', modules: { 'main.mjs': { type: 'esm', contents } } },
        env: { Bench: { type: 'durable-object', worker: 'bench', exportName: 'Bench' } },
        // One that is evicted in the middle of a run would be measured waking up.
        exports: {
          Bench: { type: 'durable-object', storage: 'sqlite', unsafePreventEviction: host !== 'hibernating' },
        },
      },
      // Not through miniflare's own proxy, which would be measured too.
      dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }], ...(inspect && { unsafeInspectorProxy: true }) },
    },
  ],
} as ConstructorParameters<typeof Miniflare>[0])

const url = await miniflare.unsafeGetDirectURL('bench')

obey({})
process.removeAllListeners('disconnect')
process.on('disconnect', async () => {
  await miniflare.dispose()
  process.exit()
})
process.send!({
  url: `ws://127.0.0.1:${url.port}/`,
  pid: workerdOf(process.pid),
  ...(inspect && { inspector: String(await miniflare.getInspectorURL()) }),
  name: contender.name,
})
