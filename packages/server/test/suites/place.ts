import { createClient, type PairwireClient, type RichClientOptions, RpcError } from '@pairwire/client'
import type { Frame, Socket } from '@pairwire/wire'
import { onTestFinished } from 'vitest'
import type { TestRouter } from './router.ts'

/** Where the suites' servers run, and how a test gets to them. */
export interface Place {
  /** A socket to the server of this name, offering the subprotocol, and accepted. */
  connect(server: string, headers?: Record<string, string>): Socket | Promise<Socket>
  /** Whether no timer runs there for what may never come, and the platform answers pings. */
  readonly hibernates?: boolean
  /** Whether what runs there is put out of memory between any two frames. */
  readonly evicts?: boolean
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
let keys = 0
/** A key that no other test has, in whichever process. */
export const newKey = (): string => `key ${++keys} ${crypto.randomUUID()}`

/** A client that closes with its test. */
export const openClient = (
  place: Place,
  server = 'main',
  options: RichClientOptions = {},
): PairwireClient<TestRouter> => {
  const client = createClient<TestRouter>(`ws://pairwire.test/${server}`, {
    connect: () => place.connect(server),
    ...options,
  })
  onTestFinished(() => client.$connection.close())
  return client
}

/** How a call ended: `['ok', value]`, or its error's code and `executed`. */
export const outcome = (call: PromiseLike<unknown>): Promise<unknown[]> =>
  Promise.resolve(call).then(
    (value) => ['ok', value],
    (error) => (error instanceof RpcError ? [error.code, error.executed] : ['no RpcError', String(error)]),
  )

/** The error that a call ended with. */
export const errorOf = async (call: PromiseLike<unknown>): Promise<RpcError> => {
  try {
    await call
  } catch (error) {
    if (error instanceof RpcError) return error
    throw new Error(`no RpcError: ${error}`)
  }
  throw new Error('the call did not fail')
}

/** Asks until the answer is right, or its time is over. */
export const eventually = async <T>(ask: () => T | PromiseLike<T>, isRight: (value: T) => boolean): Promise<T> => {
  const end = Date.now() + 4_000
  for (;;) {
    const value = await ask()
    if (isRight(value) || Date.now() > end) return value
    await sleep(10)
  }
}

interface SocketEvent {
  readonly data: string | ArrayBuffer
  readonly code: number
  readonly reason: string
}
type Message = [op: number, id: number, ...fields: never[]]
const HEAD = 4

/** A socket that speaks frames as it likes. */
export interface Raw {
  readonly socket: Socket
  readonly frames: (string | Uint8Array)[]
  readonly messages: Message[]
  readonly closed: { code: number; reason: string } | undefined
  /** Text and bytes go as they are, anything else as JSON. */
  send(frame: unknown): void
  /** The first message, among those that came or that come, which this holds for; undefined where the socket closes. */
  until(is: (message: Message) => unknown, ms?: number): Promise<Message | undefined>
  /** What it closed with; undefined if it did not. */
  end(ms?: number): Promise<{ code: number; reason: string } | undefined>
  /** That the connection lives: asks, and is answered. */
  alive(): Promise<boolean>
}

/** Opens a socket and says hello, unless told not to. It closes with its test. */
export const openRaw = async (
  place: Place,
  server = 'main',
  { hello = {}, headers }: { hello?: unknown; headers?: Record<string, string> } = {},
): Promise<Raw> => {
  const socket = await place.connect(server, headers)
  const frames: (string | Uint8Array)[] = []
  const messages: Message[] = []
  const watchers = new Set<() => void>()
  let closed: { code: number; reason: string } | undefined
  let asked = 2 ** 40 + 1
  const wake = () => {
    for (const watcher of watchers) watcher()
  }
  const on = (type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void) =>
    socket.addEventListener(type, listener as never)
  const opened = new Promise<void>((resolve) => {
    if (socket.readyState === 1) resolve()
    on('open', () => resolve())
    on('close', () => resolve())
  })
  socket.binaryType = 'arraybuffer'
  on('message', ({ data }) => {
    let text: string
    if (typeof data === 'string') text = data
    else {
      const end = HEAD + new DataView(data).getUint32(0)
      text = new TextDecoder().decode(new Uint8Array(data, HEAD, end - HEAD))
    }
    frames.push(typeof data === 'string' ? data : new Uint8Array(data))
    const frame = JSON.parse(text)
    messages.push(...(Array.isArray(frame[0]) ? frame : [frame]))
    wake()
  })
  on('close', ({ code, reason }) => {
    closed = { code, reason }
    // workerd leaves the handshake to whoever holds the socket.
    try {
      socket.close()
    } catch {}
    wake()
  })
  on('error', () => {})
  await opened
  const send = (frame: unknown) => {
    try {
      socket.send(typeof frame === 'string' || frame instanceof Uint8Array ? (frame as Frame) : JSON.stringify(frame))
    } catch {
      // Closed meanwhile.
    }
  }
  const wait = async <T>(ask: () => T | undefined, ms: number): Promise<T | undefined> => {
    const end = Date.now() + ms
    for (;;) {
      const value = ask()
      if (value !== undefined || closed || Date.now() >= end) return value
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.max(1, end - Date.now()))
        function done() {
          watchers.delete(done)
          clearTimeout(timer as never)
          resolve()
        }
        watchers.add(done)
      })
    }
  }
  const raw: Raw = {
    socket,
    frames,
    messages,
    get closed() {
      return closed
    },
    send,
    until: (is, ms = 5_000) => wait(() => messages.find(is), ms),
    end: (ms = 5_000) => wait(() => closed, ms),
    async alive() {
      asked += 2
      const id = asked
      send([2, id, 'add', { a: 1, b: 2 }])
      return (await raw.until(([op, of]) => op === 7 && of === id)) !== undefined
    },
  }
  onTestFinished(() => {
    try {
      socket.close()
    } catch {}
  })
  if (hello) send([0, 1, '', hello])
  return raw
}

/** A binary frame. */
export const binary = (text: string, bytes: Uint8Array): Uint8Array => {
  const header = new TextEncoder().encode(text)
  const frame = new Uint8Array(HEAD + header.length + bytes.length)
  new DataView(frame.buffer).setUint32(0, header.length)
  frame.set(header, HEAD)
  frame.set(bytes, HEAD + header.length)
  return frame
}
