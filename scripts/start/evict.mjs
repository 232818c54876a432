// A binding by which a worker puts its own Durable Objects to sleep, for all to see. Cloudflare has nothing of the kind:
// there they fall asleep by themselves, after ten seconds.
import { Response } from 'miniflare'

/**
 * A service that takes `POST /evict/<class>/<name>`: the object is out of memory when it answers, and its sockets are open.
 * @param {string} worker the worker whose objects they are
 */
export const evictor = (worker) => ({
  type: 'fetcher',
  async handler(request, miniflare) {
    const [, className, name] = /^\/evict\/(\w+)\/([^/]+)$/.exec(new URL(request.url).pathname) ?? []
    if (!className || request.method !== 'POST') return new Response('Not found\n', { status: 404 })
    try {
      await miniflare.unsafeEvictDurableObject(worker, className, { name: decodeURIComponent(name) })
    } catch (error) {
      // It was asleep already: so it is what was asked for.
      if (!/not currently running/.test(error.message)) throw error
    }
    return new Response(null, { status: 204 })
  },
})
