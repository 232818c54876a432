import { defineContract, query, type } from '@pairwire/contract'
import { describe, expect, it } from 'vitest'
import { implement } from './index.ts'

const files = defineContract({
  list: query({ output: type<unknown>() }),
  more: { read: query({ output: type<unknown>() }) },
})
const contract = defineContract({ ping: query({ output: type<unknown>() }), files })
const handlers = { ping: () => 'pong', files: { list: () => [], more: { read: () => '' } } }
// What types refuse is refused again at run time.
const make = (handlers: any) => () => implement(contract).handlers(handlers)

describe('handlers', () => {
  it('have to be there, each by its path', () => {
    expect(make({ ...handlers, ping: undefined })).toThrow('"ping" is in the contract, but has no handler')
    expect(make({ ping: handlers.ping })).toThrow('"files" is in the contract, but has no handler')
    expect(make({ ...handlers, files: { list: () => [], more: {} } })).toThrow('"files.more.read" is in the contract')
    expect(make(undefined)).toThrow('The root is a namespace')
  })

  it('have to be in the contract', () => {
    expect(make({ ...handlers, pong: () => 1 })).toThrow('"pong" has a handler, but the contract has no such procedure')
    expect(make({ ...handlers, files: { ...handlers.files, constructor: () => 1 } })).toThrow('"files.constructor"')
  })

  it('have to be functions, and namespaces objects', () => {
    expect(make({ ...handlers, ping: 1 })).toThrow('The handler of "ping" is not a function')
    expect(make({ ...handlers, files: () => 1 })).toThrow('"files" is a namespace of the contract')
  })

  it('are an object’s own', () => {
    expect(make(Object.create(handlers))).toThrow('"ping" is in the contract, but has no handler')
  })
})

describe('an implementer', () => {
  it('is not changed by what is made of it', () => {
    const base = implement(contract).context<object>()
    base.use(() => 'ended')
    const router = base.handlers(handlers)
    const entry = router.find('ping')
    expect(entry && router.run(entry, { input: 0, ctx: {}, signal: new AbortController().signal })).toBe('pong')
  })

  it('remembers the contract of its clients', () => {
    expect(implement(contract).client(files).handlers(handlers).clientContract).toBe(files)
    expect(implement(contract).handlers(handlers).clientContract).toBeUndefined()
  })
})

describe('a router in place of a namespace', () => {
  const order: string[] = []
  const mounted = implement(files)
    .context<{ user: string }>()
    .use(({ ctx, next }) => {
      order.push('inner')
      return next({ ctx: { inner: ctx.user } })
    })
    .handlers({ list: ({ ctx }) => ctx, more: { read: ({ path, ctx }) => [path, ctx.inner] } })

  it('runs behind the middleware around it, with the context of both', async () => {
    const router = implement(contract)
      .context<{ token: string }>()
      .use(({ ctx, next }) => {
        order.push('outer')
        return next({ ctx: { user: `user of ${ctx.token}` } })
      })
      .handlers({ ping: ({ ctx }) => ctx, files: mounted })
    const caller = router.caller({ token: 't' })
    expect(await caller.files.list()).toEqual({ token: 't', user: 'user of t', inner: 'user of t' })
    expect(await caller.files.more.read()).toEqual(['files.more.read', 'user of t'])
    expect(await caller.ping()).toEqual({ token: 't', user: 'user of t' })
    expect(order).toEqual(['outer', 'inner', 'outer', 'inner', 'outer'])
  })

  it('still works by itself', async () => {
    expect(await mounted.caller({ user: 'u' }).more.read()).toEqual(['more.read', 'u'])
  })

  it('has to implement that very contract', () => {
    const another = implement(defineContract({ ...files, list: query({ output: type<unknown>() }) })).handlers(
      handlers.files,
    )
    expect(make({ ...handlers, files: another })).toThrow(
      'The router at "files" implements another contract: see "files.list"',
    )
    const fewer = implement(defineContract({ list: files.list })).handlers({ list: () => [] })
    expect(make({ ...handlers, files: fewer })).toThrow('it lacks "files.more.read"')
  })
})
