import { expect, it, vi } from 'vitest'
import { createProxy } from './proxy.ts'

const connection = { state: 'idle' }
const open = () => {
  const call = vi.fn((path: string, ..._: unknown[]) => `called ${path}`)
  return { call, client: createProxy(call, connection) as any }
}

it('makes a path of property access, and a call of a call', () => {
  const { call, client } = open()
  const settings = { timeout: 5 }
  expect(client.files.list.all({ a: 1 }, settings)).toBe('called files.list.all')
  expect(call.mock.calls).toEqual([['files.list.all', { a: 1 }, settings]])
  client.add()
  expect(call).toHaveBeenLastCalledWith('add', undefined, undefined)
})

it('needs no object to be called on', () => {
  const { call, client } = open()
  const { files } = client
  const { list } = files
  list(1)
  list.call(undefined, 2)
  expect(call.mock.calls.map(([path]) => path)).toEqual(['files.list', 'files.list.call'])
})

it('makes each step once', () => {
  const { client } = open()
  expect(client.files).toBe(client.files)
  expect(client.files.list).toBe(client.files.list)
  expect(client.files.list).not.toBe(client.list)
})

it('takes the names that functions have for procedures', () => {
  const { call, client } = open()
  client.name(1)
  client.length(2)
  client.files.prototype(3)
  expect(call.mock.calls.map(([path]) => path)).toEqual(['name', 'length', 'files.prototype'])
})

it.each(['then', 'toJSON', 'toString', 'valueOf', Symbol.iterator, Symbol.asyncIterator, Symbol.toPrimitive])(
  'has nothing under %s, which JavaScript asks for by itself',
  (key) => {
    const { client } = open()
    expect(client[key]).toBeUndefined()
    expect(client.files[key]).toBeUndefined()
  },
)

it('has procedures under names that only begin or end like those', () => {
  const { client } = open()
  for (const name of ['thenable', 'toJSONL', 'toStrings', 'athen', 'valueOfIt'])
    expect(client[name]()).toBe(`called ${name}`)
})

it('can be awaited, returned from an async function and turned into JSON, without a call', async () => {
  const { call, client } = open()
  expect(await client).toBe(client)
  expect(await (async () => client.files)()).toBe(client.files)
  expect(JSON.stringify({ client })).toBe('{}')
  expect(call).not.toHaveBeenCalled()
})

it('has the connection at its root, and nowhere else', () => {
  const { client } = open()
  expect(client.$connection).toBe(connection)
  expect(client.files.$connection).not.toBe(connection)
  expect((createProxy(() => {}) as any).$connection).toBeUndefined()
})
