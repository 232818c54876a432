import { DurableObject } from 'cloudflare:workers'
import { serverFor } from './suites/servers.ts'

interface Env {
  readonly OBJECT: DurableObjectNamespace
}

const answer = (request: Request, env: unknown): Response =>
  (serverFor(request.url)?.fetch(request as never, env) as Response | undefined) ??
  new Response(new URL(request.url).pathname)

/** A Durable Object that does not hibernate: it answers with the very servers of the worker. */
export class TestObject extends DurableObject<Env> {
  override fetch(request: Request): Response {
    return answer(request, 'object')
  }
}

/** The worker that *.workerd.test.ts files reach as `exports.default` of `cloudflare:workers`. */
export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (new URL(request.url).pathname.startsWith('/object/')) return env.OBJECT.getByName('suites').fetch(request)
    return answer(request, 'worker')
  },
}
