import type { IncomingMessage } from 'node:http'
import type { LightOrigin } from '../host.ts'

/**
 * Where a socket on Node came from. As a Request that takes two kilobytes, and after the welcome hardly anybody asks for it: from
 * then on it is kept as text, and made anew.
 */
export class NodeOrigin<Env> implements LightOrigin<Env> {
  readonly env: Env
  readonly #url: string
  #request: Request | undefined
  /** Its method and headers, as JSON. */
  #init: string | undefined

  /** @throws TypeError where host or target make no URL */
  constructor({ headers, url, method }: IncomingMessage, env: Env) {
    this.env = env
    this.#url = `http://${headers.host}${url}`
    this.#request = new Request(this.#url, {
      method: method ?? 'GET',
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, `${value}`]),
    }) as unknown as Request
  }

  get request(): Request {
    return this.#request ?? (new Request(this.#url, JSON.parse(this.#init!)) as unknown as Request)
  }

  welcomed(): void {
    if (!this.#request) return
    const { method, headers } = this.#request
    this.#init = JSON.stringify({ method, headers: [...headers] })
    this.#request = undefined
  }
}
