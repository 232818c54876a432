// What users of the types rely on. Read by tsc alone.
import { type PairSocket, WebSocketPair } from './index.ts'

const pair = new WebSocketPair()
const { 0: client, 1: server } = pair
const sockets: PairSocket[] = Object.values(pair)
const [one, two] = pair
const listed: [PairSocket | undefined, PairSocket | undefined] = [one, two]

server.accept({ allowHalfOpen: true })
server.addEventListener('message', (event) => event.data as string)
server.addEventListener('close', ({ code, reason, wasClean }) => [code + 1, reason.length, !wasClean])
server.addEventListener('error', ({ message }) => message.length, { once: true, signal: new AbortController().signal })
server.onclose = ({ code }) => code + 1
server.onmessage = null

// @ts-expect-error: what is coerced to text at run time is a mistake in typed code
server.send({ a: 1 })
// @ts-expect-error: there are two binary types
server.binaryType = 'text'

class Extended extends WebSocketPair {
  readonly extra = 1
}

export { client, Extended, listed, sockets }
