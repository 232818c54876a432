/**
 * The web platform that a browser, a worker and Node have in common, and no more.
 *
 * The packages are compiled against this file instead of `lib.dom` or `@cloudflare/workers-types`, which clash with each
 * other: what compiles here runs everywhere, and the published types ask for neither. It is never published; each user's
 * own library declares the same names. Add a global only if all three platforms have it, and only the part they share.
 */

interface EventTarget {
  addEventListener(
    type: string,
    listener: ((event: any) => void) | { handleEvent(event: any): void },
    options?: { once?: boolean; signal?: AbortSignal },
  ): void
  removeEventListener(type: string, listener: ((event: any) => void) | { handleEvent(event: any): void }): void
}

interface Event {
  readonly type: string
}

interface MessageEvent extends Event {
  readonly data: any
}

interface CloseEvent extends Event {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

interface AbortSignal extends EventTarget {
  readonly aborted: boolean
  readonly reason: any
  throwIfAborted(): void
}
declare const AbortSignal: {
  prototype: AbortSignal
  abort(reason?: unknown): AbortSignal
  any(signals: AbortSignal[]): AbortSignal
  timeout(milliseconds: number): AbortSignal
}

interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare const AbortController: { prototype: AbortController; new (): AbortController }

interface DOMException extends Error {
  readonly code: number
}
declare const DOMException: { prototype: DOMException; new (message?: string, name?: string): DOMException }

interface WebSocket extends EventTarget {
  readonly readyState: number
  readonly url: string | null
  readonly protocol: string | null
  binaryType: any
  send(message: string | ArrayBuffer | ArrayBufferView): void
  close(code?: number, reason?: string): void
}
declare const WebSocket: {
  prototype: WebSocket
  new (url: string | URL, protocols?: string | string[]): WebSocket
}

interface URLSearchParams extends Iterable<[string, string]> {
  get(name: string): string | null
  getAll(name: string): string[]
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  delete(name: string): void
  toString(): string
}
declare const URLSearchParams: {
  prototype: URLSearchParams
  new (init?: string | Iterable<[string, string]> | Record<string, string> | URLSearchParams): URLSearchParams
}

interface URL {
  href: string
  readonly origin: string
  protocol: string
  host: string
  hostname: string
  port: string
  pathname: string
  search: string
  hash: string
  readonly searchParams: URLSearchParams
  toString(): string
  toJSON(): string
}
declare const URL: { prototype: URL; new (url: string | URL, base?: string | URL): URL }

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}
declare const TextEncoder: { prototype: TextEncoder; new (): TextEncoder }

interface TextDecoder {
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string
}
declare const TextDecoder: {
  prototype: TextDecoder
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder
}

interface Headers extends Iterable<[string, string]> {
  get(name: string): string | null
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  delete(name: string): void
}
type HeadersInit = Headers | Record<string, string> | Array<[string, string]>
declare const Headers: { prototype: Headers; new (init?: HeadersInit): Headers }

interface Request {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly signal: AbortSignal
}

interface Response {
  readonly status: number
  readonly ok: boolean
  readonly headers: Headers
  text(): Promise<string>
  json(): Promise<any>
  arrayBuffer(): Promise<ArrayBuffer>
}
interface ResponseInit {
  status?: number
  statusText?: string
  headers?: HeadersInit
}
declare const Response: { prototype: Response; new (body?: string | null, init?: ResponseInit): Response }

declare const crypto: {
  getRandomValues<View extends ArrayBufferView>(view: View): View
  randomUUID(): string
}

declare const performance: { now(): number }

// Node's timers are objects, the others' numbers: say `ReturnType<typeof setTimeout>`.
interface PlatformTimer {
  readonly timer: never
}
declare function setTimeout(run: () => void, milliseconds?: number): PlatformTimer
declare function clearTimeout(timer: PlatformTimer | undefined): void
declare function setInterval(run: () => void, milliseconds?: number): PlatformTimer
declare function clearInterval(timer: PlatformTimer | undefined): void
declare function queueMicrotask(run: () => void): void
declare function structuredClone<Value>(value: Value): Value
declare function atob(data: string): string
declare function btoa(data: string): string

interface Console {
  error(...values: unknown[]): void
  warn(...values: unknown[]): void
}
declare const console: Console
