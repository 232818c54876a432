/** The worker that *.workerd.test.ts files reach as `exports.default` of `cloudflare:workers`. */
export default {
  fetch(request: Request): Response {
    return new Response(new URL(request.url).pathname)
  },
}
