import type { RpcError, Schema } from '@pairwire/contract'
import { Call, createLine, createPeer, jsonCodec, type Message, PEER_LIMITS } from '@pairwire/wire'
import { describe, expect, it } from 'vitest'
import { checkedCaller } from './checked-caller.ts'

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** A schema of any library: it takes numbers, and doubles them when `when` has come. */
const schema = (when?: (value: unknown) => Promise<unknown>) => {
  const check = (value: unknown) =>
    typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: `no number: ${value}` }] }
  const validate = when ? (value: unknown) => when(value).then(() => check(value)) : check
  return { '~standard': { version: 1, vendor: 'test', validate } } as unknown as Schema
}

/** A call to a client, whose answers are checked. */
const ask = (output: Schema | undefined) => {
  const sent: Message[] = []
  const outbox = { push: (text: string) => sent.push(JSON.parse(text)), flush() {} }
  const peer = createPeer(createLine(outbox, jsonCodec, PEER_LIMITS, 2), {})
  const call = new Call({ ended() {}, streams() {} }, jsonCodec, 'name', 1, {}, 30_000)
  call.id = 2
  call.open(peer, checkedCaller(call, output))
  const say = (...messages: Message[]) => peer.handle({ messages, bytes: undefined, size: 0 })
  const got: unknown[] = []
  /** Reads the call as a stream; what ends it comes last. */
  const read = async () => {
    try {
      for await (const event of call) got.push(event)
      got.push('done')
    } catch (error) {
      got.push((error as RpcError).code)
    }
  }
  const failure = () =>
    call.then(
      () => expect.unreachable(),
      (error) => error as RpcError<string, never>,
    )
  return { call, say, sent, got, read, failure }
}
const gone = { code: 'NOT_FOUND', executed: 'yes' }

describe.each<[string, ((value: unknown) => Promise<unknown>) | undefined]>([
  ['sync', undefined],
  ['async', async () => {}],
  // What comes first takes longest.
  ['slower and slower to be asked', (n) => new Promise((resolve) => setTimeout(resolve, 6 / (Number(n) || 1)))],
])('with a schema that is %s', (_name, when) => {
  const output = schema(when)

  it('a result is what the schema makes of it', async () => {
    const { call, say } = ask(output)
    say([7, 2, 4])
    expect(await call).toBe(8)
  })

  it('events keep their order, and their place before the end', async () => {
    const { say, got, read, sent } = ask(output)
    const reading = read()
    say([9, 2, 1], [9, 2, 2], [9, 2, 3])
    say([10, 2])
    await reading
    expect(got).toEqual([2, 4, 6, 'done'])
    expect(sent).toHaveLength(1)
  })

  it('events keep their place before an error', async () => {
    const { say, got, read } = ask(output)
    const reading = read()
    say([9, 2, 1], [8, 2, gone])
    await reading
    expect(got).toEqual([2, 'NOT_FOUND'])
  })

  it('an error passes as it is', async () => {
    const { failure, say } = ask(output)
    say([8, 2, gone])
    expect(await failure()).toMatchObject({ ...gone, remote: true })
  })

  it('a question for credit keeps its place', async () => {
    const { call, say, sent } = ask(output)
    const events = call[Symbol.asyncIterator]()
    say([9, 2, 1], [6, 2, -50], [9, 2, 2])
    expect((await events.next()).value).toBe(2)
    expect(sent).toHaveLength(1)
    expect((await events.next()).value).toBe(4)
    expect(sent.slice(1)).toEqual([[6, 2, 50]])
  })

  it('a wrong result fails the call, with the issues', async () => {
    const { failure, say } = ask(output)
    say([7, 2, 'x'])
    const error = await failure()
    expect(error).toMatchObject({
      code: 'INTERNAL',
      executed: 'yes',
      remote: false,
      message: '"name" was answered by the client with what its contract does not allow',
      data: { issues: [{ message: 'no number: x' }] },
    })
  })

  it('a wrong event ends the call at both ends, and nothing comes after it', async () => {
    const { say, got, read, sent } = ask(output)
    const reading = read()
    say([9, 2, 1], [9, 2, 'x'], [9, 2, 3])
    await reading
    say([9, 2, 4], [10, 2])
    await nextTask()
    expect(got).toEqual([2, 'INTERNAL'])
    expect(sent.slice(1)).toEqual([[3, 2]])
  })
})

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('mine')
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine'))],
])('a schema that %s fails the call, which keeps the cause to itself', async (_name, validate) => {
  const { failure, say } = ask({ '~standard': { version: 1, vendor: 'test', validate } } as never)
  say([7, 2, 4])
  expect(await failure()).toMatchObject({
    code: 'INTERNAL',
    executed: 'yes',
    cause: new Error('mine'),
    data: undefined,
  })
})

it('without a schema no value passes', async () => {
  const { call, say } = ask(undefined)
  say([7, 2, { secret: true }])
  expect(await call).toBeUndefined()
  const stream = ask(undefined)
  const reading = stream.read()
  stream.say([9, 2, 'x'], [10, 2])
  await reading
  expect(stream.got).toEqual([undefined, 'done'])
})
