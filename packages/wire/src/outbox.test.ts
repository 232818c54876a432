import { describe, expect, it } from 'vitest'
import { createOutbox, createQuiet, createTickOutbox, type OutboxFactory } from './outbox.ts'

const gather = (create: OutboxFactory) => {
  const frames: unknown[] = []
  const outbox = create((text, bytes) => frames.push(bytes ? [text, ...bytes] : text))
  return { outbox, frames }
}
const nextTask = () => new Promise((resolve) => setTimeout(resolve))

describe.each([
  ['createOutbox', createOutbox],
  ['createTickOutbox', createTickOutbox],
])('%s', (_name, create) => {
  it('sends the messages of one tick as one frame, in their order', async () => {
    const { outbox, frames } = gather(create)
    outbox.push('[7,1]')
    outbox.push('[7,3]')
    outbox.push('[7,5]')
    expect(frames).toEqual([])
    await nextTask()
    expect(frames).toEqual(['[[7,1],[7,3],[7,5]]'])
  })

  it('sends the messages of two ticks as two frames', async () => {
    const { outbox, frames } = gather(create)
    for (const message of ['[7,1]', '[7,3]']) {
      outbox.push(message)
      await nextTask()
    }
    expect(frames.map((frame) => JSON.parse(frame as string).flat())).toEqual([
      [7, 1],
      [7, 3],
    ])
    await nextTask()
    expect(frames).toHaveLength(2)
  })

  it('sends a frame of more than 2,048 characters at once', async () => {
    const { outbox, frames } = gather(create)
    const text = (length: number) => `"${'x'.repeat(length - 2)}"`
    outbox.push(text(2_000))
    outbox.push(text(47))
    expect(frames).toEqual([])
    outbox.flush()
    outbox.push(text(2_000))
    outbox.push(text(48))
    expect(frames.map((frame) => (frame as string).length)).toEqual([2_050, 2_051])
    outbox.push('3')
    await nextTask()
    expect(frames.map((frame) => [JSON.parse(frame as string)].flat(2).at(-1).length)).toEqual([45, 46, undefined])
  })

  it('sends on demand what has gathered, and nothing twice', async () => {
    const { outbox, frames } = gather(create)
    outbox.flush()
    expect(frames).toEqual([])
    outbox.push('1')
    outbox.push('2')
    outbox.flush()
    expect(frames).toEqual(['[1,2]'])
    outbox.flush()
    await nextTask()
    expect(frames).toEqual(['[1,2]'])
  })
})

describe('createOutbox', () => {
  it('sends a message that is alone without a batch around it', async () => {
    const { outbox, frames } = gather(createOutbox)
    outbox.push('[7,1]')
    await nextTask()
    expect(frames).toEqual(['[7,1]'])
  })

  it('gathers what an async generator yields turn by turn', async () => {
    const { outbox, frames } = gather(createOutbox)
    const inner = async function* () {
      for (let i = 0; i < 20; i++) yield i
    }
    const outer = async function* () {
      yield* inner()
    }
    for await (const n of outer()) outbox.push(`${n}`)
    await nextTask()
    expect(frames).toEqual([JSON.stringify(Array.from({ length: 20 }, (_, n) => n))])
  })

  it('does not wait for a timer', async () => {
    const { outbox, frames } = gather(createOutbox)
    const order: unknown[] = []
    setTimeout(() => order.push('timer', ...frames))
    outbox.push('1')
    await nextTask()
    expect(order).toEqual(['timer', '1'])
  })

  it('sends at most 500 messages in a frame', async () => {
    const { outbox, frames } = gather(createOutbox)
    for (let i = 0; i < 1_001; i++) outbox.push('1')
    expect(frames).toHaveLength(2)
    await nextTask()
    expect(frames.map((frame) => [JSON.parse(frame as string)].flat().length)).toEqual([500, 500, 1])
  })

  it('ends a frame, at once, with a message that has bytes', async () => {
    const { outbox, frames } = gather(createOutbox)
    const bytes = new Uint8Array([1, 2])
    outbox.push('1')
    outbox.push('2', [bytes])
    outbox.push('3', [bytes])
    expect(frames).toEqual([
      ['[1,2]', bytes],
      ['3', bytes],
    ])
    outbox.push('4')
    outbox.push('5')
    await nextTask()
    expect(frames.slice(2)).toEqual(['[4,5]'])
  })

  it('lets a message go with others whose list of bytes is empty', async () => {
    const { outbox, frames } = gather(createOutbox)
    outbox.push('1', [])
    outbox.push('2')
    await nextTask()
    expect(frames).toEqual(['[1,2]'])
  })
})

describe('outboxes that wait together', () => {
  it('send each its own frame, once nothing is added to any of them', async () => {
    const quiet = createQuiet()
    const frames: string[] = []
    const [a, b] = ['a', 'b'].map((name) => createOutbox((text) => frames.push(`${name} ${text}`), quiet)) as never as [
      ReturnType<typeof createOutbox>,
      ReturnType<typeof createOutbox>,
    ]
    a.push('1')
    for (let i = 0; i < 40; i++) {
      b.push(`${i}`)
      await undefined
    }
    expect(frames).toEqual([])
    await nextTask()
    expect(frames).toEqual(['a 1', `b [${Array.from({ length: 40 }, (_, i) => i)}]`])
    b.push('2')
    await nextTask()
    expect(frames.at(-1)).toBe('b 2')
  })

  it('do not wait for ever for one that goes on and on', async () => {
    const quiet = createQuiet()
    const frames: string[] = []
    const a = createOutbox((text) => frames.push(text), quiet)
    const b = createOutbox(() => {}, quiet)
    a.push('1')
    let turns = 0
    for (; !frames.length && turns < 10_000; turns++) {
      b.push('2')
      await undefined
    }
    expect(frames).toEqual(['1'])
    expect(turns).toBeGreaterThan(1_000)
  })
})

describe('an outbox that is held', () => {
  it('waits for nothing, and sends at once what it has when that is all', async () => {
    const { outbox, frames } = gather(createOutbox)
    outbox.hold!()
    outbox.push('1')
    outbox.push('2')
    await nextTask()
    expect(frames).toEqual([])
    outbox.release!(true)
    expect(frames).toEqual(['[1,2]'])
    await nextTask()
    expect(frames).toEqual(['[1,2]'])
  })

  it('waits where more is to come, and at any other time', async () => {
    const { outbox, frames } = gather(createOutbox)
    outbox.hold!()
    outbox.push('1')
    outbox.release!(false)
    expect(frames).toEqual([])
    outbox.push('2')
    await nextTask()
    expect(frames).toEqual(['[1,2]'])
    outbox.hold!()
    outbox.release!(false)
    outbox.push('3')
    await nextTask()
    expect(frames).toEqual(['[1,2]', '3'])
  })
})

it('lets frames that follow each other become longer, until there is a pause', async () => {
  const { outbox, frames } = gather(createOutbox)
  const message = 'x'.repeat(1_000)
  const burst = async () => {
    for (let i = 0; i < 100; i++) outbox.push(message)
    await nextTask()
    return frames.splice(0).map((frame) => Math.round((frame as string).length / 1_000))
  }
  expect(await burst()).toEqual([3, 5, 9, 17, 33, 33])
  expect(await burst()).toEqual([3, 5, 9, 17, 33, 33])
})
