import { DurableObject } from 'cloudflare:workers'
import type { TestBoard } from './board.ts'
import type { Courier } from './eviction/courier.ts'
import type { Dreamer } from './eviction/dreamer.ts'
import type { Lobby } from './lobby.ts'
import type { Prober } from './prober.ts'
import type { TestRoom } from './room.ts'
import type { Sleeper } from './sleeper.ts'
import type { SuiteObject } from './suite-object.ts'
import { createServers, serverFor } from './suites/servers.ts'

export { TestBoard } from './board.ts'
export { Courier } from './eviction/courier.ts'
export { Dreamer } from './eviction/dreamer.ts'
export { Lobby } from './lobby.ts'
export { Prober } from './prober.ts'
export { TestRoom } from './room.ts'
export { Sleeper } from './sleeper.ts'
export { SuiteObject } from './suite-object.ts'

interface Env {
  readonly OBJECT: DurableObjectNamespace
  readonly BOARDS: DurableObjectNamespace<TestBoard>
  readonly COURIERS: DurableObjectNamespace<Courier>
  readonly DREAMERS: DurableObjectNamespace<Dreamer>
  readonly LOBBIES: DurableObjectNamespace<Lobby>
  readonly PROBERS: DurableObjectNamespace<Prober>
  readonly ROOMS: DurableObjectNamespace<TestRoom>
  readonly SLEEPERS: DurableObjectNamespace<Sleeper>
  readonly SUITES: DurableObjectNamespace<SuiteObject>
  /** Lets pages of every origin in: set where a browser is tested. */
  readonly OPEN?: boolean
}

const servers = createServers()
const openServers = createServers('*')

const answer = (request: Request, { OPEN }: Env, name: string): Response =>
  (serverFor(request.url, OPEN ? openServers : servers)?.fetch(request as never, name) as Response | undefined) ??
  new Response(new URL(request.url).pathname)

/** A Durable Object that does not hibernate: it answers with the very servers of the worker. */
export class TestObject extends DurableObject<Env> {
  override fetch(request: Request): Response {
    return answer(request, this.env, 'object')
  }
}

/** The worker that *.workerd.test.ts files reach as `exports.default` of `cloudflare:workers`. */
export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (new URL(request.url).pathname.startsWith('/object/')) return env.OBJECT.getByName('suites').fetch(request)
    return answer(request, env, 'worker')
  },
}
