/** Which origins may connect from a browser: their exact names, `'*'` for all, or a function that decides. */
export type Origins = '*' | readonly string[] | ((origin: string, request: Request) => boolean)

/**
 * Whether a request's origin may connect; the reason if not. Browsers let any page open a WebSocket to any host, with
 * its cookies, and always say from where: so without this check any site could act as its visitor (OWASP: cross-site
 * WebSocket hijacking). What is no browser sends no `Origin` and is not stopped by this.
 */
export const refuseOrigin = (request: Request, origins: Origins | undefined): string | undefined => {
  const origin = request.headers.get('Origin')
  if (origin === null || origins === '*') return undefined
  const allowed =
    typeof origins === 'function'
      ? origins(origin, request)
      : origins
        ? origins.includes(origin)
        : hostOf(origin) === new URL(request.url).host
  return allowed ? undefined : `origin ${origin} may not connect: add it to the server's origins`
}

// Only the host: behind a proxy that ends TLS the request's own scheme says nothing.
const hostOf = (origin: string): string | undefined => {
  try {
    const url = new URL(origin)
    return url.origin === origin ? url.host : undefined
  } catch {
    // "null", as a sandboxed frame says, or garbage: the same origin as nothing.
    return undefined
  }
}
