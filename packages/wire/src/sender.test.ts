import { expect, it, vi } from 'vitest'
import { ProtocolError } from './close.ts'
import { jsonCodec } from './codec.ts'
import { createLine } from './line.ts'
import { PEER_LIMITS } from './messages.ts'
import { createSender, type Source } from './sender.ts'

/** A sender whose every value is a number, and weighs as much. */
const open = (window = 100, limit = 100) => {
  const sent: unknown[] = []
  const asked: string[] = []
  const outbox = { push: (message: string) => asked.push(message), flush() {} }
  const line = createLine(outbox, jsonCodec, { ...PEER_LIMITS, window: limit }, 1)
  const send = (value: unknown) => {
    sent.push(value)
    return value as number
  }
  const sender = createSender(line, 1, window, send)
  return { sender, sent, asked }
}
const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** Numbers without end, and whether the source was left. */
const endless = (value = 30) => {
  const source = { left: 0, [Symbol.asyncIterator]: () => numbers() }
  const numbers = async function* () {
    try {
      for (;;) yield value
    } finally {
      source.left++
    }
  }
  return source
}

it('sends what a source yields, and says when it is done', async () => {
  const { sender, sent, asked } = open()
  const source = async function* () {
    yield* [1, 2, 3]
  }
  expect(await sender.run(source())).toBe(true)
  expect(sent).toEqual([1, 2, 3])
  expect(asked).toEqual([])
})

it.each<[string, Source]>([
  ['an array', [1, 2, 3]],
  ['a set', new Set([1, 2, 3])],
  [
    'a generator',
    (function* () {
      yield* [1, 2, 3]
    })(),
  ],
])('takes %s', async (_name, source) => {
  const { sender, sent } = open()
  expect(await sender.run(source)).toBe(true)
  expect(sent).toEqual([1, 2, 3])
})

const readable = (cancel = () => {}) => {
  const stream = new ReadableStream<number>({
    start(controller) {
      for (const n of [1, 2, 3]) controller.enqueue(n)
      controller.close()
    },
    cancel,
  })
  return { getReader: () => stream.getReader() }
}

it('takes a ReadableStream that is not iterable', async () => {
  const { sender, sent } = open()
  expect(await sender.run(readable())).toBe(true)
  expect(sent).toEqual([1, 2, 3])
})

it('cancels a ReadableStream that is not iterable, when it is closed', async () => {
  const cancel = vi.fn()
  const { sender } = open()
  const stream = new ReadableStream<number>({ pull: (controller) => controller.enqueue(40), cancel })
  const run = sender.run({ getReader: () => stream.getReader() })
  await nextTask()
  sender.close()
  expect(await run).toBe(false)
  expect(cancel).toHaveBeenCalledTimes(1)
})

it('prefers to iterate asynchronously', async () => {
  const { sender, sent } = open()
  const source = Object.assign([9], {
    [Symbol.asyncIterator]: async function* () {
      yield 1
    },
  })
  expect(await sender.run(source)).toBe(true)
  expect(sent).toEqual([1])
})

it('stops at its window, and asks each half window for what it has sent', async () => {
  const { sender, sent, asked } = open()
  const run = sender.run(endless())
  await nextTask()
  expect(sent).toEqual([30, 30, 30, 30])
  expect(asked).toEqual(['[6,1,-60]', '[6,1,-60]'])
  sender.close()
  expect(await run).toBe(false)
})

it('goes on as far as it is granted', async () => {
  const { sender, sent } = open()
  sender.run(endless())
  await nextTask()
  expect(sent).toHaveLength(4)
  sender.grant(20)
  await nextTask()
  expect(sent).toHaveLength(4)
  sender.grant(40)
  await nextTask()
  expect(sent).toHaveLength(6)
  sender.close()
})

it('sends one value larger than its window', async () => {
  const { sender, sent } = open()
  sender.run(endless(5_000))
  await nextTask()
  expect(sent).toEqual([5_000])
  sender.grant(5_000)
  await nextTask()
  expect(sent).toHaveLength(2)
  sender.close()
})

it.each([
  [1_000, 4],
  [0, 4],
  [-5, 4],
  [Number.NaN, 4],
  ['40' as never, 2],
  [40, 2],
])('keeps to its own limit where the reader takes %o', async (window, count) => {
  const { sender, sent } = open(window, 100)
  sender.run(endless())
  await nextTask()
  expect(sent).toHaveLength(count)
  sender.close()
})

it('refuses credit for more than it has sent', async () => {
  const { sender } = open()
  expect(await sender.run([10])).toBe(true)
  sender.grant(10)
  const overrun = () => sender.grant(1)
  expect(overrun).toThrow(ProtocolError)
  expect(overrun).toThrow(expect.objectContaining({ code: 4000 }))
})

it('leaves its source when it is closed, while it waits for credit', async () => {
  const { sender } = open()
  const source = endless()
  const run = sender.run(source)
  await nextTask()
  expect(source.left).toBe(0)
  sender.close()
  expect(await run).toBe(false)
  expect(source.left).toBe(1)
})

it('sends nothing more when it is closed, while it waits for its source', async () => {
  const { sender, sent } = open()
  let yields = (_: IteratorResult<number>) => {}
  const left = vi.fn()
  const run = sender.run({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise<IteratorResult<number>>((resolve) => {
          yields = resolve
        }),
      return: async () => {
        left()
        return { done: true, value: undefined }
      },
    }),
  })
  sender.close()
  expect(left).toHaveBeenCalledTimes(1)
  yields({ done: false, value: 1 })
  expect(await run).toBe(false)
  expect(sent).toEqual([])
})

it('reads nothing of a source that it is given once closed, and leaves it', async () => {
  const { sender } = open()
  const next = vi.fn(async () => ({ done: false as const, value: 1 }))
  const left = vi.fn(async () => ({ done: true as const, value: undefined }))
  sender.close()
  expect(await sender.run({ [Symbol.asyncIterator]: () => ({ next, return: left }) })).toBe(false)
  expect(next).not.toHaveBeenCalled()
  expect(left).toHaveBeenCalledTimes(1)
})

it('passes on what its source throws', async () => {
  const { sender, sent } = open()
  const source = async function* () {
    yield 1
    throw new Error('mine')
  }
  await expect(sender.run(source())).rejects.toThrow('mine')
  expect(sent).toEqual([1])
})

it('leaves its source when a value cannot be sent', async () => {
  const { asked } = open()
  const outbox = { push: (message: string) => asked.push(message), flush() {} }
  const sender = createSender(createLine(outbox, jsonCodec, PEER_LIMITS, 1), 1, 100, () => {
    throw new Error('too large')
  })
  const source = endless()
  await expect(sender.run(source)).rejects.toThrow('too large')
  await nextTask()
  expect(source.left).toBe(1)
})

it.each([5, undefined, {}, { getReader: 1 }])('fails for %o, which is no source', async (source) => {
  await expect(open().sender.run(source as never)).rejects.toThrow(TypeError)
})

it('does not care how a source takes being left', async () => {
  for (const leave of [() => Promise.reject(new Error('mine')), () => expect.unreachable()]) {
    const { sender } = open()
    const run = sender.run({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 200 }), return: leave }) })
    await nextTask()
    sender.close()
    expect(await run).toBe(false)
  }
})
