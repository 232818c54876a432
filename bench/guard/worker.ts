// Bundled for workerd: a plain Worker, a Durable Object, and one that hibernates, which all serve the same.
import { DurableObject } from 'cloudflare:workers'
import { RpcDurableObject } from '../../packages/server/src/durable.ts'
import type { Server } from '../../packages/server/src/index.ts'
import { createRouter, serve } from './app.ts'

export class Awake extends DurableObject {
  readonly server: Server = serve()
  override fetch(request: Request): Response {
    return this.server.fetch(request as never) as never
  }
}

export class Sleeper extends RpcDurableObject {
  router = createRouter()
}

interface Objects {
  getByName(name: string): { fetch(request: Request): Promise<Response> }
}
let server: Server | undefined
export default {
  fetch(request: Request, env: { Awake: Objects; Sleeper: Objects }): Response | Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/object') return env.Awake.getByName('guard').fetch(request)
    if (pathname === '/hibernating') return env.Sleeper.getByName('guard').fetch(request)
    server ??= serve()
    return server.fetch(request as never) as never
  },
}
