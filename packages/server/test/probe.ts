import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { PairwireClient } from '@pairwire/client'
import { type ClientOptions, createClient } from '@pairwire/client'
import { onTestFinished } from 'vitest'
import { type Orders, Prober } from './prober.ts'
import { sleep } from './suites/place.ts'

export type Message = readonly [op: number, ...fields: never[]]

/** A socket to an object that speaks as it likes. */
export interface RawSocket {
  readonly ws: WebSocket
  readonly messages: Message[]
  readonly closed: { code: number; reason: string } | undefined
  send(...messages: unknown[]): void
  /** The first message, of those that came or come, which this holds for. */
  until(is: (message: Message) => unknown, ms?: number): Promise<Message | undefined>
  /** The answer to a call. */
  answer(id: number): Promise<Message | undefined>
  end(ms?: number): Promise<{ code: number; reason: string } | undefined>
}

export interface Hello {
  readonly session?: string
  readonly params?: unknown
  readonly window?: number
  readonly codec?: 'json'
}

let objects = 0

export const until = async (holds: () => unknown, ms = 4_000): Promise<void> => {
  for (const end = Date.now() + ms; !(await holds()); await sleep(4))
    if (Date.now() > end) throw new Error(`it did not come true: ${holds}`)
}

/** An object of a test's own, and ways to it. */
export const probe = (orders: Orders = {}) => {
  const name = `probe ${++objects} ${crypto.randomUUID()}`
  Prober.orders.set(name, orders)
  const stub = () => env.PROBERS.getByName(name)
  const upgrade = async (headers: Record<string, string> = {}): Promise<WebSocket> => {
    const all = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'pairwire.1', ...headers }
    const { webSocket, status } = await stub().fetch('http://probe.test/', { headers: all })
    if (!webSocket) throw new Error(`no socket: ${status}`)
    return webSocket
  }

  /** A socket without a word. */
  const silent = async (headers?: Record<string, string>): Promise<RawSocket> => {
    const ws = await upgrade(headers)
    const messages: Message[] = []
    let closed: { code: number; reason: string } | undefined
    ws.addEventListener('message', ({ data }) => {
      const bytes = typeof data === 'string' ? undefined : new Uint8Array(data as ArrayBuffer)
      const length = bytes && new DataView(bytes.buffer).getUint32(0)
      const text = bytes ? new TextDecoder().decode(bytes.subarray(4, 4 + length!)) : (data as string)
      const frame = JSON.parse(text)
      messages.push(...(Array.isArray(frame[0]) ? frame : [frame]))
    })
    ws.addEventListener('close', ({ code, reason }) => {
      closed = { code, reason }
    })
    ws.binaryType = 'arraybuffer'
    ws.accept()
    onTestFinished(() => {
      try {
        ws.close(1000)
      } catch {}
    })
    const raw: RawSocket = {
      ws,
      messages,
      get closed() {
        return closed
      },
      send(...messages) {
        for (const message of messages)
          ws.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message))
      },
      async until(is, ms = 2_000) {
        for (const end = Date.now() + ms; Date.now() < end && !closed; await sleep(2)) {
          const found = messages.find(is)
          if (found) return found
        }
        return messages.find(is)
      },
      answer: (id) => raw.until(([op, of]) => (op === 7 || op === 8 || op === 10) && of === id),
      async end(ms = 2_000) {
        for (const end = Date.now() + ms; Date.now() < end && !closed; ) await sleep(2)
        return closed
      },
    }
    return raw
  }

  /** A socket that was welcomed. */
  const open = async ({ session = '', ...options }: Hello = {}): Promise<RawSocket & { epoch: string }> => {
    const raw = await silent()
    raw.send([0, 1, session, options])
    const welcome = await raw.until(([op]) => op === 1)
    if (!welcome) throw new Error(`no welcome: ${JSON.stringify(raw.closed)}`)
    return Object.assign(raw, { epoch: (welcome[1] as unknown as { epoch: string }).epoch })
  }

  const client = (options: Partial<ClientOptions> = {}): PairwireClient<Prober['router']> => {
    const made = createClient<Prober['router']>('ws://probe.test/', {
      connect: async () => {
        const ws = await upgrade()
        ws.accept()
        return ws as never
      },
      reconnect: { minDelay: 2, maxDelay: 20 },
      ...options,
    })
    onTestFinished(() => made.$connection.close())
    return made
  }

  return {
    name,
    stub,
    silent,
    open,
    upgrade,
    client,
    errors: (): unknown[] => Prober.errors.get(name) ?? [],
    notes: (): string[] => Prober.notes.get(name) ?? [],
    /** Has it sleep, if it does not. */
    async evict(): Promise<void> {
      try {
        await evictDurableObject(stub())
      } catch (error) {
        if (!String(error).includes('not currently running')) throw error
      }
    },
    async crash() {
      await stub()
        .crash()
        .catch(() => {})
    },
  }
}
