import { defineContract, mutation, query, RpcError, subscription, type } from '@pairwire/contract'
import { describe, expect, it, vi } from 'vitest'
import { type AnyRouter, defineMiddleware, type Invocation, implement, type MiddlewareCall } from './index.ts'

const contract = defineContract({
  one: mutation({ input: type<number>(), output: type<unknown>(), meta: { auth: true } }),
  events: subscription({ output: type<number>() }),
  deep: { two: query({ output: type<unknown>() }) },
})
const { signal } = new AbortController()
const run = (router: AnyRouter, path: string, call: Partial<Invocation> = {}): unknown => {
  const entry = router.find(path)
  return entry && router.run(entry, { input: 1, ctx: { base: 0 }, signal, ...call })
}
const handlers = {
  one: () => 'handled',
  events: async function* () {
    yield 1
  },
  deep: { two: () => 'two' },
}

describe('middleware', () => {
  it('adds to the context of what is behind it, and leaves the caller’s alone', () => {
    const ctx = { base: 0 }
    const router = implement(contract)
      .context<{ base: number }>()
      .use(({ ctx, next }) => next({ ctx: { a: ctx.base + 1 } }))
      .use(({ ctx, next }) => next({ ctx: { b: ctx.a + 1, base: 'replaced' } }))
      .handlers({ ...handlers, one: ({ ctx }) => ctx })
    expect(run(router, 'one', { ctx })).toEqual({ base: 'replaced', a: 1, b: 2 })
    expect(ctx).toEqual({ base: 0 })
  })

  it('hands the context on untouched where it adds nothing', () => {
    const ctx = new (class Context {})()
    const router = implement(contract)
      .use(({ next }) => next())
      .handlers({ ...handlers, one: ({ ctx }) => ctx })
    expect(run(router, 'one', { ctx })).toBe(ctx)
  })

  it('sees the call', () => {
    const see = vi.fn()
    const router = implement(contract)
      .use(({ path, kind, meta, input, signal, deadline, metadata, next }) => {
        see({ path, kind, meta, input, signal, deadline, metadata })
        return next()
      })
      .handlers(handlers)
    run(router, 'one', { deadline: 5, metadata: { a: 'b' } })
    expect(see).toHaveBeenCalledWith({
      path: 'one',
      kind: 'mutation',
      meta: { auth: true },
      input: 1,
      signal,
      deadline: 5,
      metadata: { a: 'b' },
    })
    run(router, 'deep.two')
    expect(see).toHaveBeenLastCalledWith(
      expect.objectContaining({ path: 'deep.two', kind: 'query', meta: {}, metadata: {} }),
    )
  })

  it('costs a call no promise if it is synchronous', () => {
    const router = implement(contract)
      .use(({ next }) => next())
      .handlers(handlers)
    expect(run(router, 'one')).toBe('handled')
  })

  it('may end the call itself', () => {
    const handler = vi.fn()
    const router = implement(contract)
      .use(() => 'cached')
      .handlers({ ...handlers, one: handler })
    expect(run(router, 'one')).toBe('cached')
    expect(handler).not.toHaveBeenCalled()
  })

  it('sees the result and may replace it', async () => {
    const router = implement(contract)
      .use(async ({ next }) => ({ wrapped: await next() }))
      .handlers({ ...handlers, one: async () => 'handled' })
    expect(await run(router, 'one')).toEqual({ wrapped: 'handled' })
  })

  it('sees the events of a subscription', async () => {
    const router = implement(contract)
      .use(({ next }) => {
        const events = next() as unknown as AsyncIterable<number>
        return (async function* () {
          for await (const event of events) yield event * 10
        })()
      })
      .handlers(handlers)
    const events = run(router, 'events') as AsyncIterable<number>
    expect(await events[Symbol.asyncIterator]().next()).toEqual({ done: false, value: 10 })
  })

  it('may catch what the handler throws', async () => {
    const router = implement(contract)
      .use(async ({ next }) => {
        try {
          return await next()
        } catch (error) {
          return (error as RpcError).code
        }
      })
      .handlers({
        ...handlers,
        one: () => {
          throw new RpcError('NOT_FOUND')
        },
      })
    expect(await run(router, 'one')).toBe('NOT_FOUND')
  })

  it('cannot go on twice', async () => {
    const handler = vi.fn()
    const onError = vi.fn()
    const router = implement(contract)
      .use(async ({ next }) => {
        await next()
        return next()
      })
      .handlers({ ...handlers, one: handler })
    await expect(run(router, 'one', { onError })).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(handler).toHaveBeenCalledOnce()
    expect(String(onError.mock.calls[0]?.[0].error)).toContain('A middleware of one called next() twice')
  })

  it('fails a call as not executed before the handler was entered, and as executed after', async () => {
    const fail = () => {
      throw new RpcError('UNAUTHENTICATED')
    }
    const before = implement(contract).use(fail).handlers(handlers)
    expect(() => run(before, 'one')).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED', executed: 'no' }))
    const after = implement(contract)
      .use(async ({ next }) => {
        await next()
        return fail()
      })
      .handlers(handlers)
    await expect(run(after, 'one')).rejects.toMatchObject({ code: 'UNAUTHENTICATED', executed: 'yes' })
  })

  it('has its own result checked like the handler’s', () => {
    const strict = defineContract({
      one: query({ output: { '~standard': { validate: () => ({ issues: [{ message: 'no' }] }) } } }),
    })
    const router = implement(strict)
      .use(() => 'bad')
      .handlers({ one: () => undefined as never })
    expect(() => run(router, 'one', { onError: () => {} })).toThrow(
      expect.objectContaining({ code: 'INTERNAL', executed: 'no' }),
    )
  })
})

describe('defineMiddleware', () => {
  it('types a middleware to be shared', () => {
    const twice = defineMiddleware(({ ctx, next }: MiddlewareCall<{ base: number }>) =>
      next({ ctx: { twice: ctx.base * 2 } }),
    )
    const router = implement(contract)
      .context<{ base: number }>()
      .use(twice)
      .handlers({ ...handlers, one: ({ ctx }) => ctx.twice })
    expect(run(router, 'one', { ctx: { base: 4 } })).toBe(8)
  })
})
