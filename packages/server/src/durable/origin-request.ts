import type { SocketOrigin } from '../host.ts'

/** What is kept of the request that a socket came with, so that `authenticate` can be asked again after a sleep. */
export interface Origin {
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** What a Worker with `rooms` found out before it passed the request on. */
  readonly vouched?: unknown
}

/** Of the handshake, and of no use once it is over. */
const HANDSHAKE = /^(sec-websocket-|upgrade$|connection$)/

const KEY = 'pairwire'

/** What of a request is kept: its URL and headers, and what was vouched for. */
export const originOf = (request: Request): Origin => {
  const vouched = (request.cf as Record<string, unknown> | undefined)?.[KEY]
  const headers = [...request.headers].filter(([name]) => !HANDSHAKE.test(name))
  return { url: request.url, headers, ...(vouched !== undefined && { vouched }) }
}

/** A request as it was, as far as it was kept. */
export const requestFrom = ({ url, headers, vouched }: Origin): Request => {
  const cf = vouched === undefined ? {} : { cf: { [KEY]: vouched } as CfProperties }
  return new Request(url, { headers: headers as [string, string][], ...cf })
}

/**
 * Where a socket came from.
 *
 * @param from as JSON: it is read when somebody asks for the request, since for thousands of sockets it would take its time
 */
export const originFrom = (from: string, env: unknown): SocketOrigin<unknown> => {
  let request: Request | undefined
  return {
    env,
    get request() {
      request ??= requestFrom(JSON.parse(from))
      return request
    },
  }
}
