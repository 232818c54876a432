import { rooms } from '@pairwire/server/durable'
import type { Env } from './env.ts'
import type { ChatRoom } from './room.ts'

export { ChatRoom } from './room.ts'

const chatRooms = rooms<ChatRoom, Env>({ path: '/rooms/:name', namespace: (env) => env.ROOMS })

/** `POST /rooms/lobby/evict`, from the page's button, where there is somebody who can. */
const evict = (request: Request, { DEV }: Env): Promise<Response> | undefined => {
  const [, name] = /^\/rooms\/([^/]+)\/evict$/.exec(new URL(request.url).pathname) ?? []
  if (name && request.method === 'POST') return DEV?.fetch(`http://dev/evict/ChatRoom/${name}`, { method: 'POST' })
}

export default {
  // The page's files are found before the Worker is asked (`assets` in wrangler.json), also for the path of a room: what
  // comes here are sockets.
  fetch: (request, env) => evict(request, env) ?? chatRooms.fetch(request, env),
} satisfies ExportedHandler<Env>
