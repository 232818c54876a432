import type { AcceptOptions, PairSocket } from '../socket.ts'

/** The surface the suite looks at; workerd's own class is cast to it. */
export type PairClass = new () => { readonly 0: PairSocket; readonly 1: PairSocket } & Iterable<PairSocket>

declare function setTimeout(task: () => void, ms: number): unknown

/** Waits until nothing is under way: more turns of the event loop than any case has events. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 1))
}

/** Two accepted sockets. */
export function open(Pair: PairClass, one?: AcceptOptions, two?: AcceptOptions): [PairSocket, PairSocket] {
  const { 0: a, 1: b } = new Pair()
  a.accept(one)
  b.accept(two)
  return [a, b]
}

/** Writes every event of a socket to a log, with the `readyState` the listener sees. */
export function record(name: string, socket: PairSocket, log: string[]): void {
  socket.addEventListener('open', () => log.push(`${name} open`))
  socket.addEventListener('message', (event) => log.push(`${name} message ${event.data} (${socket.readyState})`))
  socket.addEventListener('error', (event) => log.push(`${name} error ${event.message} (${socket.readyState})`))
  socket.addEventListener('close', ({ code, reason, wasClean }) =>
    log.push(`${name} close ${code} '${reason}' ${wasClean ? 'clean' : 'unclean'} (${socket.readyState})`),
  )
}

/** Two accepted sockets, `a` and `b`, and the log of all their events. */
export function watch(Pair: PairClass, one?: AcceptOptions, two?: AcceptOptions): [PairSocket, PairSocket, string[]] {
  const log: string[] = []
  const [a, b] = open(Pair, one, two)
  record('a', a, log)
  record('b', b, log)
  return [a, b, log]
}

/** The name and message of what a function throws, `undefined` when it returns. */
export function thrown(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return undefined
}

/** What arrives as the data of the messages sent in `send`. */
export async function arrivals(
  Pair: PairClass,
  send: (socket: PairSocket) => void,
  binaryType: 'blob' | 'arraybuffer' = 'arraybuffer',
): Promise<unknown[]> {
  const [a, b] = open(Pair)
  const data: unknown[] = []
  b.binaryType = binaryType
  b.addEventListener('message', (event) => data.push(event.data))
  send(a)
  await quiet()
  return data.map((item) => (item instanceof ArrayBuffer ? [...new Uint8Array(item)] : item))
}

/** The messages sent as text, as a string each. */
export async function textArrivals(Pair: PairClass, ...messages: unknown[]): Promise<unknown[]> {
  return arrivals(Pair, (socket) => {
    for (const message of messages) socket.send(message as string)
  })
}
