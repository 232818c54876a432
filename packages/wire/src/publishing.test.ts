import { RpcError, type Tracked, tracked } from '@pairwire/contract'
import { describe, expect, it, vi } from 'vitest'
import { createAnswers } from './answers.ts'
import type { Callable } from './callee.ts'
import { ProtocolError } from './close.ts'
import {
  createRichCodec,
  LIMITS,
  type Message,
  type Recorder,
  type RichTypes,
  richTypes,
  type Suspended,
} from './index.ts'
import { createLine } from './line.ts'

const nextTask = () => new Promise((resolve) => setTimeout(resolve))
const EVENT = 9

interface Options extends Pick<Callable, 'check' | 'expose'> {
  recorder?: Recorder
  message?: number
  types?: RichTypes
}

/** An answering end whose one subscription is of these events. */
const serve = (source: () => unknown, { recorder, message, types = richTypes, ...rules }: Options = {}) => {
  const codec = createRichCodec(8, types)
  const procedure: Callable = { path: 'events', kind: 'subscription', takesStream: false, ...rules }
  const masked: unknown[] = []
  const answers = createAnswers({
    codec,
    limits: LIMITS,
    recorder,
    callee: {
      find: () => procedure,
      run: source,
      mask(error) {
        masked.push(error)
        return new RpcError('INTERNAL', 'hidden')
      },
    },
  })
  const sent: Message[] = []
  const line = createLine({ push: (text) => sent.push(JSON.parse(text)), flush() {} }, codec, LIMITS, 2)
  if (message) line.message = message
  return {
    answers,
    codec,
    sent,
    masked,
    events: () => sent.filter(([op]) => op === EVENT).map(([, , value]) => value),
    say: (...message: Message) => answers.handle(message, line),
    begin: (window?: number) => answers.handle([2, 1, 'events', null, window ? { window } : {}], line),
    resume: (suspended: Partial<Suspended>) =>
      answers.resume(
        1,
        {
          call: '[2,1,"events",null,{"window":1000}]',
          unread: 0,
          unasked: 0,
          untracked: false,
          busy: false,
          ...suspended,
        },
        line,
        () => {},
      ),
  }
}

/** Events without end, of 264 bytes each, and how often their source was asked and left. */
const endless = () => {
  const counts = { asked: 0, left: 0 }
  const source = async function* () {
    try {
      for (;;) {
        counts.asked++
        yield 'x'.repeat(190)
      }
    } finally {
      counts.left++
    }
  }
  return { counts, source }
}

/** What stands for a topic. */
const feed = () => {
  const ready: unknown[] = []
  let waiting: { wake(): void } | undefined
  const source = {
    left: 0,
    polls: 0,
    next: vi.fn(async (): Promise<IteratorResult<unknown>> => ({ done: true, value: undefined })),
    async return() {
      source.left++
      return { done: true as const, value: undefined }
    },
    '~poll': () => {
      source.polls++
      return ready.shift()
    },
    '~wait': vi.fn((reader: { wake(): void }) => {
      waiting = reader
      return true
    }),
    [Symbol.asyncIterator]: () => source,
  }
  const publish = (...events: unknown[]) => {
    ready.push(...events)
    waiting?.wake()
  }
  return { source, publish, ready, wake: () => waiting?.wake() }
}

describe('a generator', () => {
  it('is asked for no more than the window has room for, and for more when there is credit', async () => {
    const { counts, source } = endless()
    const { begin, say, sent, events } = serve(source)
    begin(1_000)
    await nextTask()
    expect([events().length, counts.asked]).toEqual([4, 4])
    // Asked about, each half window.
    expect(sent.filter(([op]) => op === 6)).toHaveLength(2)
    say(6, 1, 100)
    await nextTask()
    expect(counts.asked).toBe(5)
    expect(() => say(6, 1, 5_000)).toThrow(ProtocolError)
  })

  it('that waits for its event while the caller leaves counts until it has answered', async () => {
    let give = (_: IteratorResult<unknown>) => {}
    const left = vi.fn()
    const iterator = {
      next: () => new Promise<IteratorResult<unknown>>((resolve) => (give = resolve)),
      return: left,
      [Symbol.asyncIterator]: () => iterator,
    }
    const { answers, begin, say, sent } = serve(() => iterator)
    begin()
    say(3, 1)
    expect([left.mock.calls.length, answers.size]).toEqual([1, 1])
    give({ done: false, value: 1 })
    await nextTask()
    expect([answers.size, sent]).toEqual([0, []])
  })

  it.each([
    ['throws', () => expect.unreachable()],
    ['rejects', () => Promise.reject(new Error('mine'))],
    ['says nothing', () => undefined],
  ])('that %s when it is left is its author’s affair', async (_, leave) => {
    const iterator = {
      next: async () => ({ value: 'x'.repeat(300) }),
      return: leave,
      [Symbol.asyncIterator]: () => iterator,
    }
    const { answers, begin, say } = serve(() => iterator)
    begin(100)
    await nextTask()
    say(3, 1)
    expect(answers.size).toBe(0)
  })

  it.each([5, undefined, {}])('is not %o', (source) => {
    const { begin, masked, sent } = serve(() => source)
    begin()
    expect([masked, sent[0]?.[0]]).toEqual([[expect.any(TypeError)], 8])
  })
})

describe('a topic', () => {
  it('is asked for what there is, and waited for with no promise', async () => {
    const { source, publish } = feed()
    const { begin, events } = serve(() => source)
    publish(1, 2)
    begin()
    expect(events()).toEqual([1, 2])
    publish(3)
    expect(events()).toEqual([1, 2, 3])
    expect(source.next).not.toHaveBeenCalled()
  })

  it('is asked no more while the window is full, whoever wakes its reader', () => {
    const { source, publish, wake } = feed()
    const { begin, say, events } = serve(() => source)
    begin(100)
    publish('x'.repeat(200), 'late')
    const { polls } = source
    wake()
    expect([events().length, source.polls]).toEqual([1, polls])
    say(6, 1, 250)
    expect(events()).toHaveLength(2)
  })

  it('tells its end, or what went wrong, by next()', async () => {
    const { source, wake } = feed()
    const { answers, begin, sent } = serve(() => source)
    begin()
    source['~wait'].mockReturnValue(false)
    source.next.mockRejectedValueOnce(new RpcError('DATA_LOSS'))
    wake()
    wake()
    await nextTask()
    expect(source.next).toHaveBeenCalledOnce()
    expect([sent, answers.size]).toEqual([[[8, 1, expect.objectContaining({ code: 'DATA_LOSS' })]], 0])
  })

  it('is left with its caller, and has ended then', () => {
    const { source, publish } = feed()
    const { answers, begin, say, sent } = serve(() => source)
    begin()
    say(3, 1)
    publish(1)
    expect([source.left, answers.size, sent]).toEqual([1, 0, []])
  })

  it('says where it begins, to a caller that has no id', () => {
    for (const [cursor, told] of [
      ['e."7"', [[14, 1, 'e."7"']]],
      ['', [[14, 1, '']]],
      [undefined, []],
      [7, []],
      [null, []],
    ]) {
      const { begin, sent } = serve(() => Object.assign(feed().source, { cursor }))
      begin()
      expect(sent).toEqual(told)
    }
    for (const lastEventId of ['e.7', '']) {
      const { say, sent } = serve(() => Object.assign(feed().source, { cursor: 'e.7' }))
      say(2, 1, 'events', null, { lastEventId })
      expect(sent).toEqual([])
    }
  })

  it('has its events encoded once for all who read them, and sent as any other', () => {
    const encoded = vi.fn()
    const flatten: RichTypes['flatten'] = (value, ...rest) => {
      if (value instanceof Date) encoded()
      return richTypes.flatten(value, ...rest)
    }
    const make = () => {
      const { source, publish } = feed()
      return { publish, ...serve(() => source, { types: { ...richTypes, flatten } }) }
    }
    const [one, other] = [make(), make()]
    for (const event of [
      tracked('e."1"', new Date(0)),
      tracked('', undefined),
      tracked('e.3', [1]),
    ] as Tracked<unknown>[]) {
      const plain = make()
      plain.begin()
      plain.publish(event)
      for (const side of [one, other]) {
        side.sent.length = 0
        side.say(2, 1, 'events')
        side.publish(event.share())
        side.say(3, 1)
        expect(side.sent).toEqual(plain.sent)
      }
    }
  })

  it('whose event is too large for this caller ends for this one', () => {
    const { source, publish } = feed()
    const { begin, masked, sent } = serve(() => source, { message: 100 })
    begin()
    publish(tracked('e.1', 'x'.repeat(100)).share())
    expect([masked, sent]).toEqual([
      [expect.objectContaining({ code: 'INVALID_ARGUMENT' })],
      [[8, 1, expect.objectContaining({ code: 'INTERNAL' })]],
    ])
    expect(source.left).toBe(1)
  })
})

describe('an event', () => {
  it('is what its check makes of it, also where that takes its time', async () => {
    const { source, publish } = feed()
    const check = vi.fn((event: unknown) => (event === 1 ? 'one' : Promise.resolve(`late ${event}`)))
    const { begin, events } = serve(() => source, { check })
    begin()
    publish(1, 2, 3)
    expect([events(), check.mock.calls.length]).toEqual([['one'], 2])
    await nextTask()
    expect(events()).toEqual(['one', 'late 2', 'late 3'])
  })

  it('that its check refuses ends its source, and is told as the procedure says', async () => {
    for (const check of [
      () => {
        throw new Error('mine')
      },
      () => Promise.reject(new Error('mine')),
    ])
      for (const error of [new RpcError('INTERNAL', 'told'), Promise.resolve(new RpcError('INTERNAL', 'told'))]) {
        const { source, publish } = feed()
        const { answers, begin, sent } = serve(() => source, { check, expose: () => error })
        begin()
        publish(1, 2)
        await nextTask()
        expect([source.left, answers.size, sent]).toEqual([
          1,
          0,
          [[8, 1, expect.objectContaining({ message: 'told' })]],
        ])
      }
  })

  it('that is checked while its caller leaves is not sent', async () => {
    const { source, publish } = feed()
    const { answers, begin, say, sent } = serve(() => source, { check: async (event) => event })
    begin()
    publish(1)
    say(3, 1)
    expect(answers.size).toBe(1)
    await nextTask()
    expect([answers.size, sent]).toEqual([0, []])
  })
})

describe('a subscription that is started again', () => {
  const recorder = () => ({ changed: vi.fn<Recorder['changed']>(), signal: vi.fn<Recorder['signal']>() })

  it('with a full window begins its generator, and sends what that yields when there is credit', async () => {
    const { counts, source } = endless()
    const { resume, say, events } = serve(source, { recorder: recorder() })
    resume({ unread: 1_200, cursor: 'e.1' })
    await nextTask()
    say(6, 1, 100)
    expect([counts.asked, events().length]).toEqual([1, 0])
    say(6, 1, 900)
    await nextTask()
    expect([counts.asked, events().length]).toEqual([4, 4])
  })

  it('with a full window leaves a generator that has begun', async () => {
    const { counts, source } = endless()
    const { answers, resume, say, events } = serve(source, { recorder: recorder() })
    resume({ unread: 1_200, cursor: 'e.1' })
    say(3, 1)
    await nextTask()
    expect([counts.left, answers.size, events()]).toEqual([1, 0, []])
  })

  it('with a full window lets a topic be', () => {
    const { source, publish } = feed()
    const { resume, say, events } = serve(() => source, { recorder: recorder() })
    publish(1)
    resume({ unread: 1_200, cursor: 'e.1' })
    expect(source.polls).toBe(0)
    say(6, 1, 300)
    expect(events()).toEqual([1])
  })

  it('takes credit for what an earlier process had sent, also before its handler has answered', async () => {
    const { source, publish } = feed()
    let answer = (_: unknown) => {}
    const run = () => new Promise((resolve) => (answer = resolve))
    const { resume, say, events } = serve(run, { recorder: recorder() })
    resume({ unread: 1_200, cursor: 'e.1' })
    say(6, 1, 5_000)
    answer(source)
    await nextTask()
    publish(1)
    expect(events()).toEqual([1])
  })

  it('is recorded as it goes: where it stands, what lies unread, and its end', () => {
    const { source, publish } = feed()
    const { changed, signal } = recorder()
    const { begin, say } = serve(() => source, { recorder: { changed, signal } })
    begin()
    publish(tracked('e.1', 1), 2)
    const call = changed.mock.lastCall![0]
    expect(call.record).toMatchObject({
      message: '[2,1,"events",null,{}]',
      cursor: 'e.1',
      untracked: true,
      repeats: false,
    })
    expect(call.unread).toBe(64 + '[9,1,1,"e.1"]'.length + 64 + '[9,1,2]'.length)
    changed.mockClear()
    say(3, 1)
    expect([changed.mock.calls.length > 0, call.released]).toEqual([true, true])
    expect(signal).not.toHaveBeenCalled()
  })
})
