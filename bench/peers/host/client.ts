// A process with one contender's client. Its arguments: the contender, the server's `Served`, and the bundle.
import { writeFileSync } from 'node:fs'
import WebSocket from 'ws'
import type { ClientModule } from '../contenders/api.ts'
import type { Contender } from '../contenders/index.ts'
import { createWorkloads } from '../workloads.ts'
import { obey } from './orders.ts'
import { createProfiler } from './profiler.ts'

/** How a server is reached. */
export interface Served {
  url: string
  pid: number | undefined
  inspector?: string
}

const { opts } = JSON.parse(process.argv[2]!) as Contender
const served = JSON.parse(process.argv[3]!) as Served
const client = (await import(process.argv[4]!)) as ClientModule

const compressed = !!opts.deflate && !opts.flags?.includes('no_web_socket_compression')

/** Browsers offer compression; here it is a column of its own. */
class Socket extends WebSocket {
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols ?? [], { perMessageDeflate: opts.deflate ?? false, maxPayload: 1 << 28 })
    this.once('open', () => {
      if (compressed !== this.extensions.includes('permessage-deflate'))
        throw new Error(`compression is not what it should be: '${this.extensions}'`)
    })
  }
}

const profiler = createProfiler()
const workloads = createWorkloads({
  open: () => client.connect({ url: served.url, WebSocket: Socket, opts }),
  carries: client.carries?.(opts) ?? { dates: true, maps: true },
  pid: served.pid,
})
obey({
  ...workloads,
  profile: () => profiler.start(),
  profiled: async (file) => writeFileSync(file as string, await profiler.stop()),
})
process.send!('ready')
