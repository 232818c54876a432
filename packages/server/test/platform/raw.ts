import { WebSocket } from 'ws'

/** A client without a session, which says what it is told and keeps what comes: so that thousands take no time. */
export interface Raw {
  readonly ws: WebSocket
  /** Messages other than events, by the ids of their calls. */
  readonly answers: Map<number, unknown[]>
  /** Each event's data and id, as they came, by the ids of their calls. */
  readonly events: Map<number, [data: unknown, id: string | undefined][]>
  readonly closed: Promise<{ code: number; at: number }>
  pongs: number
  send(...messages: unknown[][]): void
  /** The answer to a call. */
  answer(id: number): Promise<unknown[]>
  /** Calls, and gives the answer. */
  call(path: string, input?: unknown, options?: unknown): Promise<unknown>
  /** Subscribes. @returns the call's id */
  subscribe(path: string, input?: unknown, options?: unknown): number
  /** Hears of each event. */
  onEvent: ((id: number) => void) | undefined
}

const [WELCOME, CREDIT, RESULT, ERROR, EVENT, PING, PONG] = [1, 6, 7, 8, 9, 11, 12]

/** Opens a socket and says hello. Resolves when it is welcomed. */
export const connectRaw = async (
  url: string,
  { params, session = '' }: { params?: unknown; session?: string } = {},
) => {
  const ws = new WebSocket(url, ['pairwire.1'], { perMessageDeflate: false, maxPayload: 0 })
  const waiting = new Map<number, (answer: unknown[]) => void>()
  let nextId = -1
  let welcomed = () => {}
  const raw: Raw = {
    ws,
    answers: new Map(),
    events: new Map(),
    pongs: 0,
    closed: new Promise((resolve) => ws.on('close', (code) => resolve({ code, at: performance.now() }))),
    send: (...messages) => ws.send(JSON.stringify(messages.length === 1 ? messages[0] : messages)),
    answer: (id) =>
      new Promise((resolve) => {
        const known = raw.answers.get(id)
        if (known) resolve(known)
        else waiting.set(id, resolve)
      }),
    async call(path, input, options) {
      nextId += 2
      raw.send([
        2,
        nextId,
        path,
        ...(input === undefined && options === undefined ? [] : [input ?? null, options ?? null]),
      ])
      const answer = await raw.answer(nextId)
      if (answer[0] === ERROR) throw Object.assign(new Error('refused'), answer[2])
      return answer[2]
    },
    subscribe(path, input, options) {
      nextId += 2
      raw.events.set(nextId, [])
      raw.send([
        2,
        nextId,
        path,
        ...(input === undefined && options === undefined ? [] : [input ?? null, options ?? null]),
      ])
      return nextId
    },
    onEvent: undefined,
  }
  const handle = (message: unknown[]) => {
    const [op, id] = message as [number, number]
    if (op === EVENT) {
      raw.events.get(id)?.push([message[2], message[3] as string | undefined])
      raw.onEvent?.(id)
    } else if (op === CREDIT) raw.send([CREDIT, id, -(message[2] as number)])
    else if (op === PING) raw.send([PONG])
    else if (op === PONG) raw.pongs++
    else if (op === WELCOME) welcomed()
    else if (op === RESULT || op === ERROR) {
      raw.answers.set(id, message)
      waiting.get(id)?.(message)
      waiting.delete(id)
    }
  }
  ws.on('message', (data) => {
    const frame = JSON.parse(String(data)) as unknown[]
    if (Array.isArray(frame[0])) for (const message of frame as unknown[][]) handle(message)
    else handle(frame)
  })
  await new Promise<void>((resolve, reject) => {
    welcomed = resolve
    ws.on('error', reject)
    ws.on('close', (code, reason) => reject(new Error(`closed with ${code} ${reason}`)))
    ws.on('open', () => raw.send([0, 1, session, { params }]))
  })
  return raw
}
