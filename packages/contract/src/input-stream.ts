/** The part of the platform's `ReadableStream` that is needed to read it, for those whose type is no async iterable. */
export interface ReadableStreamLike<Item> {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Item | undefined }>
    cancel(reason?: unknown): Promise<void>
    releaseLock(): void
  }
}

/** What a caller may send along with a call whose procedure has an `inputStream`. */
export type InputStream<Item> = AsyncIterable<Item> | Iterable<Item> | ReadableStreamLike<Item>
