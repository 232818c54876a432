import { createClient } from '@pairwire/client'
import { createClient as createJsonClient } from '@pairwire/client/json'
import { RpcError } from '@pairwire/contract'
import { WebSocketPair as LocalPair } from '@pairwire/websocket-pair'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import vectors from '../../../docs/vectors/conversations.json' with { type: 'json' }
import { build, frameOf, fromHex, type LongFrame, notate, toHex } from '../../../docs/vectors/notation.ts'
import { createServer, defineContract, implement, mutation, query, subscription, tracked, type } from './index.ts'

interface CallStep {
  as: string
  path: string
  input?: unknown
  stream?: unknown[]
  options?: object
  read?: boolean
}
interface OutcomeStep {
  as: string
  value?: unknown
  events?: unknown[]
  error?: { code: string; executed: string }
}
interface Step {
  send?: string | LongFrame
  expect?: unknown[]
  silence?: boolean
  close?: number
  hangup?: number
  call?: CallStep
  read?: string
  cancel?: string
  outcome?: OutcomeStep
}
interface Case {
  name: string
  role: string
  options?: object
  steps: Step[]
}

const contract = defineContract({
  add: query({ input: z.object({ a: z.number(), b: z.number() }), output: z.number() }),
  echo: query({ input: type<unknown>(), output: type<unknown>() }),
  noop: mutation(),
  epoch: query({ output: z.date() }),
  hit: mutation({ output: z.number() }),
  polluted: query({ output: z.boolean() }),
  crash: mutation(),
  unsendable: query({ output: type<() => void>() }),
  muted: mutation({ errors: { MUTED: z.object({ until: z.date() }) } }),
  wait: query(),
  hang: mutation(),
  files: { size: query({ input: z.string(), output: z.number() }) },
  count: subscription({ input: z.number(), output: z.number() }),
  tracked: subscription({ output: type<string | undefined>() }),
  dates: subscription({ output: z.date() }),
  breaks: subscription({ output: z.number() }),
  never: subscription({ output: z.number() }),
  left: query({ output: z.number() }),
  flood: subscription({ input: z.number(), output: z.string() }),
  sum: mutation({ inputStream: z.number(), output: z.number() }),
  ignore: mutation({ inputStream: type<unknown>() }),
  upper: subscription({ inputStream: z.string(), output: z.string() }),
})
const clientContract = defineContract({ name: query({ input: z.string(), output: z.string() }) })

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const makeServer = (limits: object) => {
  let hits = 0
  let left = 0
  const router = implement(contract).handlers({
    add: ({ input }) => input.a + input.b,
    echo: ({ input }) => input,
    noop: () => {},
    epoch: () => new Date(0),
    hit: () => ++hits,
    polluted: () => 'polluted' in {},
    crash: () => {
      throw new Error('a secret')
    },
    unsendable: () => () => {},
    muted: ({ errors }) => {
      throw errors.MUTED({ until: new Date(0) })
    },
    wait: ({ signal }) => aborted(signal),
    hang: () => new Promise<void>(() => {}),
    files: { size: ({ input }) => input.length },
    count: async function* ({ input }) {
      for (let i = 0; i < input; i++) yield i
    },
    tracked: async function* ({ lastEventId }) {
      for (let i = Number(lastEventId?.slice(2) ?? 0); i < 3; i++) yield tracked(`e.${i + 1}`, ['a', 'b', undefined][i])
    },
    dates: async function* () {
      yield new Date(0)
    },
    breaks: async function* () {
      yield 1
      throw new RpcError('NOT_FOUND')
    },
    never: async function* ({ signal }) {
      try {
        await aborted(signal)
        yield 1
      } finally {
        left++
      }
    },
    left: () => left,
    flood: async function* ({ input }) {
      for (;;) yield 'x'.repeat(input)
    },
    sum: async ({ stream }) => {
      let sum = 0
      for await (const n of stream) sum += n
      return sum
    },
    ignore: () => new Promise<void>(() => {}),
    upper: async function* ({ stream }) {
      for await (const line of stream) yield line.toUpperCase()
    },
  })
  return createServer(router, { limits, onError() {} })
}

const clientRouter = implement(clientContract).handlers({ name: ({ input }) => `${input}=bob` })

/** Two ends of a socket: one for the implementation under test, one for the case. */
interface Ends {
  theirs: any
  ours: { send(data: string | ArrayBuffer): void; close(code: number): void }
  frames: (string | ArrayBuffer)[]
  code(): number | undefined
}

/** No more than a socket has to have: what is sent is there at once. */
const inMemory = (): Ends => {
  const listeners: { type: string; listener: (event: unknown) => void }[] = []
  const frames: (string | ArrayBuffer)[] = []
  let code: number | undefined
  const tell = (type: string, event: unknown) => {
    for (const each of listeners) if (each.type === type) each.listener(event)
  }
  const theirs = {
    readyState: 1,
    binaryType: 'blob',
    send: (data: string | Uint8Array) =>
      frames.push(typeof data === 'string' ? data : (data.slice().buffer as ArrayBuffer)),
    close(given = 1005) {
      theirs.readyState = 3
      code ??= given
    },
    addEventListener: (type: string, listener: (event: unknown) => void) => listeners.push({ type, listener }),
  }
  const ours = {
    send: (data: string | ArrayBuffer) => tell('message', { data }),
    close(code: number) {
      theirs.readyState = 3
      tell('close', { code, reason: '' })
    },
  }
  return { theirs, ours, frames, code: () => code }
}

/** workerd's own pair where there is one. */
const pair = (): Ends => {
  const Pair: any = (globalThis as any).WebSocketPair ?? LocalPair
  const { 0: ours, 1: theirs } = new Pair()
  const frames: (string | ArrayBuffer)[] = []
  let code: number | undefined
  ours.binaryType = 'arraybuffer'
  ours.addEventListener('message', ({ data }: any) => frames.push(data))
  ours.addEventListener('close', (event: any) => {
    code = event.code
  })
  ours.accept()
  return { theirs, ours, frames, code: () => code }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Reads frames message by message: how they were grouped means nothing. */
const reader = (frames: (string | ArrayBuffer)[]) => {
  const messages: { text: string; message: unknown; bytes?: string | undefined }[] = []
  const take = () => {
    for (const frame of frames.splice(0)) {
      let text = frame as string
      let bytes: string | undefined
      if (typeof frame !== 'string') {
        const all = new Uint8Array(frame)
        const end = 4 + new DataView(frame).getUint32(0)
        text = new TextDecoder().decode(all.slice(4, end))
        bytes = toHex(all.slice(end))
      }
      const json = JSON.parse(text)
      const batch = Array.isArray(json[0]) ? json : [json]
      batch.forEach((message: unknown, i: number) => {
        const last = i === batch.length - 1
        messages.push({ text: JSON.stringify(message), message, ...(last && bytes !== undefined && { bytes }) })
      })
    }
    return messages
  }
  return {
    take,
    async next(count: number) {
      for (let waited = 0; take().length < count && waited < 3_000; waited += 2) await pause(2)
      return messages.splice(0, count)
    },
  }
}

type Cleanups = (() => void)[]

/** An expected message as vitest compares it. */
const matcher = (expected: any): any => {
  if (typeof expected !== 'object' || expected === null) return expected
  if (Array.isArray(expected)) return expected.map(matcher)
  if (expected.$ === 'string') return expect.any(String)
  if (expected.$ === 'any') return expect.anything()
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, matcher(value)]))
}
const expected = (given: any) => {
  if (Array.isArray(given)) return { text: expect.any(String), message: matcher(given) }
  if ('text' in given) return { text: given.text, message: expect.anything() }
  return { text: expect.any(String), message: matcher(given.message), bytes: given.bytes }
}

const run = async ({ role, options = {}, steps }: Case, { theirs, ours, frames, code }: Ends, cleanups: Cleanups) => {
  const { take, next } = reader(frames)
  const calls = new Map<string, { call: any; controller: AbortController; events: unknown[]; end: Promise<unknown> }>()
  let client: any
  if (role === 'acceptor') {
    const server = makeServer(options)
    cleanups.push(() => server.close())
    server.accept(theirs, { request: new Request('https://example.com/') as any })
  } else {
    const connect = () => {
      theirs.accept?.()
      return theirs
    }
    client =
      'codec' in options
        ? createJsonClient('wss://example.com/', { connect })
        : createClient('wss://example.com/', { connect, router: clientRouter })
    cleanups.push(() => client.$connection.close())
  }

  const read = (as: string) => {
    const running = calls.get(as)!
    running.end = (async () => {
      for await (const event of running.call) running.events.push(notate(event))
    })().then(
      () => ({}),
      (error) => ({ error }),
    )
  }

  for (const step of steps) {
    if (step.send !== undefined) ours.send(frameOf(step.send))
    if (step.expect) expect(await next(step.expect.length)).toEqual(step.expect.map(expected))
    if (step.silence) {
      await pause(50)
      expect(take()).toEqual([])
      expect(code()).toBeUndefined()
    }
    if (step.close) {
      for (let waited = 0; code() === undefined && waited < 3_000; waited += 2) await pause(2)
      expect(code()).toBe(step.close)
    }
    if (step.hangup) ours.close(step.hangup)
    if (step.call) {
      const { as, path, input, stream, options, read: reads } = step.call
      const controller = new AbortController()
      const settings = { ...options, signal: controller.signal, ...(stream && { stream: stream.map(build) }) }
      const procedure = path.split('.').reduce((node, name) => node[name], client)
      const call = procedure(input === undefined ? undefined : build(input), settings)
      calls.set(as, { call, controller, events: [], end: Promise.resolve() })
      if ((vectors.contract as Record<string, string>)[path]!.startsWith('subscription')) {
        if (reads !== false) read(as)
      } else
        calls.get(as)!.end = call.then(
          (value: unknown) => ({ value }),
          (error: unknown) => ({ error }),
        )
    }
    if (step.read) read(step.read)
    if (step.cancel) calls.get(step.cancel)!.controller.abort()
    if (step.outcome) {
      const { as, value, events, error } = step.outcome
      const running = calls.get(as)!
      const end = (await running.end) as { value?: unknown; error?: RpcError }
      if (error) expect(end.error).toMatchObject(error)
      else expect(end.error).toBeUndefined()
      if ('value' in step.outcome) expect(notate(end.value)).toEqual(value)
      if (events) expect(running.events).toEqual(events)
    }
  }
  if (!steps.some(({ close, hangup }) => close || hangup)) {
    await pause(5)
    expect(code()).toBeUndefined()
  }
  expect(take()).toEqual([])
}

for (const [socket, make] of Object.entries({ 'a socket in memory': inMemory, 'a WebSocketPair': pair }))
  describe(socket, () => {
    for (const each of vectors.cases as unknown as Case[]) {
      const name = `${each.role}: ${each.name}`
      it.concurrent(name, async () => {
        const cleanups: Cleanups = []
        await run(each, make(), cleanups).finally(() => {
          for (const cleanup of cleanups) cleanup()
        })
      })
    }
  })

it('the vectors have no two cases of one name', () => {
  const names = (vectors.cases as unknown as Case[]).map(({ role, name }) => `${role}: ${name}`)
  expect(new Set(names).size).toBe(names.length)
  expect(fromHex('00ff')).toEqual(new Uint8Array([0, 255]))
})
