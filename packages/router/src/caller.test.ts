import { cursor, defineContract, mutation, query, RpcError, subscription, tracked, type } from '@pairwire/contract'
import { describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { implement } from './index.ts'

const contract = defineContract({
  greet: query({ input: z.string(), output: z.string() }),
  fail: mutation({ errors: { GONE: null } }),
  wait: query({ output: type<string>() }),
  relay: query({ output: type<unknown>() }),
  deep: {
    count: subscription({ input: z.number(), output: z.number() }),
    forever: subscription({ output: z.number() }),
    sum: mutation({ inputStream: z.number(), output: z.number() }),
  },
})
const left = vi.fn()
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const router = implement(contract)
  .context<{ name: string }>()
  .client(defineContract({ ask: query({ output: type<string>() }) }))
  .handlers({
    greet: ({ input, ctx }) => `${input}, ${ctx.name}`,
    fail: ({ errors }) => {
      throw errors.GONE()
    },
    wait: ({ signal }) => never(signal),
    relay: async ({ client, metadata, lastEventId }) => [await client.ask(), metadata, lastEventId],
    deep: {
      count: async function* ({ input }) {
        try {
          for (let n = 1; n <= input; n++) yield n % 2 ? n : tracked(`${n}`, n)
        } finally {
          left()
        }
      },
      forever: async function* ({ signal }) {
        try {
          yield 1
          await never(signal)
        } finally {
          left()
        }
      },
      sum: async ({ stream }) => {
        let sum = 0
        for await (const n of stream) sum += n
        return sum
      },
    },
  })
const caller = router.caller({ name: 'you' })

describe('a caller', () => {
  it('calls procedures in process', async () => {
    expect(await caller.greet('Hello')).toBe('Hello, you')
  })

  it('is nothing but the contract', () => {
    expect(Object.getPrototypeOf(caller)).toBeNull()
    expect(Object.getPrototypeOf(caller.deep)).toBeNull()
    expect(Object.keys(caller)).toEqual(Object.keys(contract))
  })

  it('fails as a peer’s call would', async () => {
    await expect(caller.greet(1 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', executed: 'no' })
    await expect(caller.fail()).rejects.toMatchObject({ code: 'GONE', executed: 'yes' })
    const onError = vi.fn()
    const broken = implement(defineContract({ fail: contract.fail })).handlers({
      fail: () => {
        throw new Error('secret')
      },
    })
    await expect(broken.caller({}, { onError }).fail()).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(onError).toHaveBeenCalledOnce()
  })

  it('hands handlers the client and what came with the call', async () => {
    const client = { ask: async () => 'answer' }
    const asked = await router.caller({ name: '' }, { client }).relay(undefined, { metadata: { a: 'b' } })
    expect(asked).toEqual(['answer', { a: 'b' }, undefined])
  })

  it('sends a stream along, whatever it is made of', async () => {
    const generate = async function* () {
      yield 1
      yield 2
    }
    expect(await caller.deep.sum(undefined, { stream: [1, 2] })).toBe(3)
    expect(await caller.deep.sum(undefined, { stream: generate() })).toBe(3)
    const { readable, writable } = new TransformStream<number, number>()
    const writer = writable.getWriter()
    void writer
      .write(1)
      .then(() => writer.write(2))
      .then(() => writer.close())
    const like = { getReader: () => readable.getReader() }
    expect(await caller.deep.sum(undefined, { stream: like })).toBe(3)
    await expect(caller.deep.sum(undefined, { stream: ['1' as never] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('stops waiting at the timeout', async () => {
    await expect(caller.wait(undefined, { timeout: 5 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      executed: 'unknown',
    })
  })

  it('stops waiting when a signal aborts, its own or the call’s', async () => {
    const controller = new AbortController()
    const all = router.caller({ name: '' }, { signal: controller.signal })
    const calls = [all.wait(), caller.wait(undefined, { signal: controller.signal })]
    controller.abort()
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CANCELLED', executed: 'unknown' })
    await expect(all.greet('late')).rejects.toMatchObject({ code: 'CANCELLED', executed: 'no' })
  })
})

describe('a caller’s subscription', () => {
  it('is the events, without their ids', async () => {
    const seen: number[] = []
    for await (const n of caller.deep.count(3)) seen.push(n)
    expect(seen).toEqual([1, 2, 3])
  })

  it('does not say where it stands: that is no event', async () => {
    const contract = defineContract({
      yields: subscription({ output: z.number() }),
      returns: subscription({ output: z.number() }),
    })
    const handlers = implement(contract).handlers({
      async *yields() {
        yield cursor('e.0')
        yield 1
        yield cursor('e.1')
        yield tracked('e.2', 2)
      },
      returns: () =>
        Object.assign(handlers.caller({}).yields()[Symbol.asyncIterator]() as AsyncGenerator<number>, {
          cursor: 'e.0',
        }),
    })
    for (const name of ['yields', 'returns'] as const) {
      const seen: number[] = []
      for await (const n of handlers.caller({})[name]()) seen.push(n)
      expect(seen).toEqual([1, 2])
    }
  })

  it('has run the handler’s finally when the loop is left', async () => {
    left.mockClear()
    for await (const n of caller.deep.count(3)) if (n === 2) break
    expect(left).toHaveBeenCalledOnce()
  })

  it('fails in the loop', async () => {
    const loop = async () => {
      for await (const _ of caller.deep.count('3' as never));
    }
    await expect(loop()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('hands events to callbacks, one after the other', async () => {
    const log: unknown[] = []
    await new Promise<void>((onDone) =>
      caller.deep.count(2).subscribe({
        onData: async (n) => {
          log.push(n)
          await null
          log.push('done')
        },
        onDone,
      }),
    )
    expect(log).toEqual([1, 'done', 2, 'done'])
    const error = await new Promise((onError) => caller.deep.count('2' as never).subscribe({ onError }))
    expect(error).toBeInstanceOf(RpcError)
  })

  it('ends when it is stopped, also while it waits', async () => {
    left.mockClear()
    const onError = vi.fn()
    const stop = await new Promise<() => void>((resolve) => {
      const stop = caller.deep.forever().subscribe({ onData: () => resolve(() => stop()), onError })
    })
    stop()
    await vi.waitFor(() => expect(left).toHaveBeenCalledOnce())
    expect(onError).not.toHaveBeenCalled()
  })
})
