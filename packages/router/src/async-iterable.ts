import type { InputStream } from '@pairwire/contract'

/** Makes one kind of all that a caller may send along. */
export const toAsyncIterable = <Item>(stream: InputStream<Item>): AsyncIterable<Item> => {
  if (Symbol.asyncIterator in stream) return stream
  if (Symbol.iterator in stream) return { [Symbol.asyncIterator]: () => fromIterator(stream[Symbol.iterator]()) }
  return { [Symbol.asyncIterator]: () => fromReader(stream.getReader()) }
}

const fromIterator = <Item>(iterator: Iterator<Item>): AsyncIterator<Item> => ({
  next: async () => iterator.next(),
  return: async () => iterator.return?.() ?? { done: true, value: undefined },
})

const fromReader = <Item>(reader: Reader<Item>): AsyncIterator<Item> => ({
  next: async () => (await reader.read()) as IteratorResult<Item>,
  return: async () => {
    await reader.cancel()
    reader.releaseLock()
    return { done: true, value: undefined }
  },
})

type Reader<Item> = ReturnType<Extract<InputStream<Item>, { getReader: unknown }>['getReader']>
