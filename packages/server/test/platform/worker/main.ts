import { livesOf } from './lives.ts'
import { relay } from './relay.ts'
import type { Stage } from './stage.ts'

export { Stage } from './stage.ts'

interface Env {
  readonly STAGES: DurableObjectNamespace<Stage>
}

const PAGE = '<!doctype html><meta charset="utf-8"><title>pairwire</title>'

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/') return new Response(PAGE, { headers: { 'Content-Type': 'text/html' } })
    if (pathname === '/lives') return Response.json(livesOf(searchParams.get('of')!))
    return relay(request, env.STAGES as never)
  },
}
