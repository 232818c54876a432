import { createClient } from '@pairwire/client'
import { createClient as createJsonClient } from '@pairwire/client/json'
import { RpcError } from '@pairwire/contract'
import { WebSocketPair as LocalPair } from '@pairwire/websocket-pair'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import vectors from '../../../docs/vectors/conversations.json' with { type: 'json' }
import { build, frameOf, fromHex, type LongFrame, notate, toHex } from '../../../docs/vectors/notation.ts'
import {
  createServer,
  cursor,
  defineContract,
  implement,
  mutation,
  query,
  subscription,
  tracked,
  type,
} from './index.ts'

interface CallStep {
  as: string
  path: string
  input?: unknown
  stream?: unknown[]
  options?: object
  read?: boolean
  gaps?: boolean
}
interface OutcomeStep {
  as: string
  value?: unknown
  events?: unknown[]
  gaps?: string[]
  error?: { code: string; executed?: unknown }
}
interface Step {
  send?: string | LongFrame
  expect?: unknown[]
  silence?: boolean
  close?: number
  hangup?: number
  socket?: number
  drain?: object
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
  later: mutation({ input: z.number(), output: z.number() }),
  put: mutation({ retry: 'idempotent', output: z.number() }),
  pay: mutation({ retry: 'once', input: type<unknown>(), output: z.number() }),
  polluted: query({ output: z.boolean() }),
  crash: mutation(),
  unsendable: query({ output: type<() => void>() }),
  muted: mutation({ errors: { MUTED: z.object({ until: z.date() }) } }),
  wait: query(),
  hang: mutation(),
  files: { size: query({ input: z.string(), output: z.number() }) },
  count: subscription({ input: z.number(), output: z.number() }),
  tracked: subscription({ output: type<string | undefined>() }),
  placed: subscription({ output: z.string() }),
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
  const counts = { hit: 0, later: 0, put: 0, pay: 0 }
  let left = 0
  const router = implement(contract).handlers({
    add: ({ input }) => input.a + input.b,
    echo: ({ input }) => input,
    noop: () => {},
    epoch: () => new Date(0),
    hit: () => ++counts.hit,
    later: async ({ input }) => {
      const count = ++counts.later
      await pause(input)
      return count
    },
    put: () => ++counts.put,
    pay: () => ++counts.pay,
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
    placed: async function* () {
      yield cursor('p.5')
      yield tracked('p.6', 'six')
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
  return createServer(router, {
    limits,
    onError() {},
    authenticate: ({ params }) => String((params as { as?: unknown } | undefined)?.as),
    context: () => ({}),
  })
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
        // An acceptor may ping at any time. A tester that answers none confirms nothing.
        if (JSON.stringify(message) === '[11]') return
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

/** Strings that a case has met, by the names it gave them. */
type Saved = Map<string, string>

/** Whether an expected value stands for a given one. */
const matches = (expected: any, given: any, saved: Saved): boolean => {
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, given)
  const all = (keys: string[]) =>
    keys.every((key) => Object.hasOwn(given, key) && matches(expected[key], given[key], saved))
  if (Array.isArray(expected))
    return Array.isArray(given) && given.length === expected.length && all(Object.keys(expected))
  if (expected.$ === 'any') return given !== undefined && given !== null
  if (expected.$ === 'string') return typeof given === 'string'
  if (expected.$ === 'saved') return given === saved.get(expected.as)
  if (expected.$ === 'other') return typeof given === 'string' && given !== saved.get(expected.as)
  if (expected.$ === 'save') {
    saved.set(expected.as, given)
    return typeof given === 'string'
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  if (expected.$ === 'with')
    return Object.entries(expected.fields).every(([key, value]) => matches(value, given[key], saved))
  return Object.keys(given).length === Object.keys(expected).length && all(Object.keys(expected))
}
const expectMessages = (given: Awaited<ReturnType<Reader['next']>>, expected: unknown[], saved: Saved) => {
  const fit = given.map(({ text, message, bytes }, at) => {
    const one = expected[at] as any
    if (Array.isArray(one)) return bytes === undefined && matches(one, message, saved)
    return 'text' in one ? text === one.text : bytes === one.bytes && matches(one.message, message, saved)
  })
  if (fit.length === expected.length && fit.every(Boolean)) return
  expect(given.map(({ message, bytes }) => (bytes === undefined ? message : { message, bytes }))).toEqual(expected)
  expect.unreachable('one of these is not what it looks like')
}

type Reader = ReturnType<typeof reader>
interface Open extends Reader, Ends {
  /** The case has said that it ends. */
  ended: boolean
}

const run = async ({ role, options = {}, steps }: Case, make: () => Ends, cleanups: Cleanups) => {
  const calls = new Map<
    string,
    {
      call: any
      controller: AbortController
      events: unknown[]
      gaps: string[]
      watched: boolean
      end: Promise<unknown>
    }
  >()
  const saved: Saved = new Map()
  const sockets: Open[] = []
  const add = () => {
    const ends = make()
    sockets.push({ ...ends, ...reader(ends.frames), ended: false })
    return ends
  }
  let client: any
  let server: ReturnType<typeof makeServer> | undefined
  if (role === 'acceptor') {
    server = makeServer(options)
    cleanups.push(() => server!.close())
  } else {
    const connect = () => {
      const { theirs } = add()
      theirs.accept?.()
      return theirs
    }
    const settings = { connect, reconnect: { minDelay: 1 } }
    client =
      'codec' in options
        ? createJsonClient('wss://example.com/', settings)
        : createClient('wss://example.com/', { ...settings, router: clientRouter })
    cleanups.push(() => client.$connection.close())
  }
  /** The n-th socket: a tester that connects opens it, one that accepts waits for it. */
  const socketAt = async (n: number): Promise<Open> => {
    if (server && !sockets[n - 1]) server.accept(add().theirs, { request: new Request('https://example.com/') as any })
    for (let waited = 0; !sockets[n - 1] && waited < 3_000; waited += 2) await pause(2)
    expect(sockets).toHaveLength(Math.max(n, sockets.length))
    return sockets[n - 1]!
  }
  let current = server && (await socketAt(1))

  const read = (as: string) => {
    const running = calls.get(as)!
    running.end = new Promise((resolve) => {
      running.call.subscribe({
        onData: (event: unknown) => running.events.push(notate(event)),
        onDone: () => resolve({}),
        onError: (error: unknown) => resolve({ error }),
        ...(running.watched && { onGap: ({ reason }: { reason: string }) => running.gaps.push(reason) }),
      })
    })
  }
  const startCall = ({ as, path, input, stream, options, read: reads, gaps }: CallStep) => {
    const controller = new AbortController()
    const settings = { ...options, signal: controller.signal, ...(stream && { stream: stream.map(build) }) }
    const procedure = path.split('.').reduce((node, name) => node[name], client)
    const call = procedure(input === undefined ? undefined : build(input), settings)
    calls.set(as, { call, controller, events: [], gaps: [], watched: !!gaps, end: Promise.resolve() })
    if ((vectors.contract as Record<string, string>)[path]!.startsWith('subscription')) {
      if (reads !== false) read(as)
    } else
      calls.get(as)!.end = call.then(
        (value: unknown) => ({ value }),
        (error: unknown) => ({ error }),
      )
  }
  const check = async ({ as, events, gaps = [], error, ...rest }: OutcomeStep) => {
    const running = calls.get(as)!
    const end = (await running.end) as { value?: unknown; error?: RpcError }
    expect(end.error?.code).toBe(error?.code)
    if (error?.executed) expect(matches(error.executed, end.error!.executed, saved)).toBe(true)
    if ('value' in rest) expect(notate(end.value)).toEqual(rest.value)
    if (events) expect(running.events).toEqual(events)
    expect(running.gaps).toEqual(gaps)
  }

  for (const step of steps) {
    if (step.call) startCall(step.call)
    if (step.read) read(step.read)
    if (step.cancel) calls.get(step.cancel)!.controller.abort()
    if (step.outcome) await check(step.outcome)
    if (step.drain) server!.drain(step.drain)
    if (step.socket) current = await socketAt(step.socket)
    if (!(step.send !== undefined || step.expect || step.silence || step.close || step.hangup)) continue
    current ??= await socketAt(1)
    const { take, next, ours, code } = current
    if (step.send !== undefined) {
      const frame = frameOf(step.send)
      ours.send(typeof frame === 'string' ? frame.replace(/\{\{(\w+)\}\}/g, (_, name) => saved.get(name)!) : frame)
    }
    if (step.expect) expectMessages(await next(step.expect.length), step.expect, saved)
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
    if (step.close || step.hangup) current.ended = true
  }
  if (sockets.some(({ ended }) => !ended)) await pause(5)
  for (const { ended, code, take } of sockets) {
    if (!ended) expect(code()).toBeUndefined()
    expect(take()).toEqual([])
  }
}

for (const [socket, make] of Object.entries({ 'a socket in memory': inMemory, 'a WebSocketPair': pair }))
  describe(socket, () => {
    for (const each of vectors.cases as unknown as Case[]) {
      const name = `${each.role}: ${each.name}`
      it.concurrent(name, async () => {
        const cleanups: Cleanups = []
        await run(each, make, cleanups).finally(() => {
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
