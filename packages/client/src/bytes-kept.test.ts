import { createRichCodec, parseFrame, richTypes, type Socket } from '@pairwire/wire'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createClient } from './index.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const codec = createRichCodec(64, richTypes)

/** A socket whose other end is the test; of what it is given it keeps no copy. */
class FakeSocket implements Socket {
  readyState = 0
  readonly frames: (string | Uint8Array<ArrayBuffer>)[] = []
  readonly #listeners = new Map<string, (event: object) => void>()

  addEventListener(type: string, listener: (event: any) => void) {
    this.#listeners.set(type, listener)
  }
  send(data: string | Uint8Array<ArrayBuffer>) {
    this.frames.push(data)
  }
  close() {}
  emit(type: string, event: object = {}) {
    this.#listeners.get(type)?.(event)
  }
  welcome(calls = 256) {
    this.readyState = 1
    this.emit('open')
    const limits = { window: 262_144, message: 1_048_576, calls }
    this.emit('message', { data: JSON.stringify([1, { epoch: 'e', heartbeat: 0, limits }]) })
  }
  /** What the calls have come with. */
  get inputs() {
    return this.frames
      .map((frame) => parseFrame(typeof frame === 'string' ? frame : frame.buffer, { message: 1_048_576 }, codec))
      .flatMap(({ messages, bytes }) =>
        messages.filter(([op]) => op === 2).map(([, , , json, , marks]) => codec.decode(json, marks, bytes)),
      )
  }
}

const open = () => {
  const sockets: FakeSocket[] = []
  const client = createClient<any>('ws://localhost', {
    lazy: false,
    connect() {
      sockets.push(new FakeSocket())
      return sockets.at(-1)!
    },
  })
  return { client: client as Record<string, (input: unknown) => PromiseLike<unknown>>, sockets }
}
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

it('sends what bytes were, and sends that again, however their user goes on with them', async () => {
  const { client, sockets } = open()
  await pass()
  sockets[0]!.welcome()
  const mine = new Uint8Array([1, 2, 3, 4])
  client.save!([mine, mine.subarray(2)]).then(null, () => {})
  mine.fill(9)
  const sent = [new Uint8Array([1, 2, 3, 4]), new Uint8Array([3, 4])]
  await pass()
  expect(sockets[0]!.inputs).toEqual([sent])
  for (const i of [1, 2]) {
    sockets[i - 1]!.emit('close', { code: 1006, reason: '' })
    while (sockets.length === i) await pass(100)
    sockets[i]!.welcome()
    await pass()
    expect(sockets[i]!.inputs).toEqual([sent])
  }
})

it('sends what bytes were where a call has to wait, for a socket or for a place', async () => {
  const { client, sockets } = open()
  const mine = new Uint8Array([1, 2])
  client.save!(mine).then(null, () => {})
  mine.fill(3)
  client.save!(mine).then(null, () => {})
  mine.fill(4)
  await pass()
  sockets[0]!.welcome(1)
  await pass()
  client.save!(mine).then(null, () => {})
  mine.fill(5)
  for (let id = 1; id < 5; id += 2) {
    sockets[0]!.emit('message', { data: `[7,${id}]` })
    await pass()
  }
  expect(sockets[0]!.inputs).toEqual([new Uint8Array([1, 2]), new Uint8Array([3, 3]), new Uint8Array([4, 4])])
})
