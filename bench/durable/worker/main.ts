import { relay } from '../../../packages/server/test/platform/worker/relay.ts'
import type { Bare } from './bare.ts'
import type { CountedRoom } from './counted.ts'
import { takeCounts } from './counters.ts'
import type { Room } from './room.ts'

export { Bare } from './bare.ts'
export { CountedRoom } from './counted.ts'
export { Room } from './room.ts'

interface Env {
  readonly ROOM: DurableObjectNamespace<Room>
  readonly COUNTED: DurableObjectNamespace<CountedRoom>
  readonly BARE: DurableObjectNamespace<Bare>
}

/** The class of an object is the first word of its name. */
const classOf = (env: Env) => ({
  getByName(name: string) {
    const space = env[name.split('-')[0]!.toUpperCase() as keyof Env] as DurableObjectNamespace
    return space.getByName(name)
  },
})

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (new URL(request.url).pathname === '/counts') return Response.json(takeCounts())
    return relay(request, classOf(env))
  },
}
