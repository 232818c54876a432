// What an `env=neutral` snippet may use besides packages/platform.d.ts.
interface Console {
  log(...values: unknown[]): void
}
declare function fetch(
  url: string | URL,
  init?: { method?: string; headers?: HeadersInit; body?: string; signal?: AbortSignal },
): Promise<Response>
