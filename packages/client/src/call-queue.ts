import { type Call, type CallSettings, type Codec, createCall, type Deadlines, type Peer } from '@pairwire/wire'

/** The calls of a connection that have not ended: those that wait for a socket, in order, and those that are on one. */
export interface CallQueue {
  readonly size: number
  /** Makes a call and takes it in, unless it has ended at once, or is `refused` for a reason. */
  make(path: string, input: unknown, settings: CallSettings, refused: string | undefined): Call
  /** Where calls go from now on, and how many of them at once; nowhere: they wait. */
  lead(peer: Peer | undefined, slots?: number): void
  /** Takes back calls whose socket is gone: they go first. */
  restore(calls: Call[]): void
  /** Takes back a call that is to move. */
  move(call: Call): void
  flush(): void
  /** Ends every call that is there now. */
  end(code: string, why: string): void
}

export interface CallQueueOptions {
  readonly codec: Codec
  readonly deadlines: Deadlines
  /** Milliseconds that a call may take if it says nothing else. */
  readonly timeout: number
  /** Bytes that calls may take. */
  readonly buffer: number
  /** Why calls have to wait. */
  problem(): string
  /** A call is on no socket any more. */
  left(): void
}

type Timer = ReturnType<typeof setTimeout>

/** What keeping a call takes, in bytes, about. */
export const sizeOf = ({ input }: Call): number => 64 + (input ? input.json.length + (input.length ?? 0) : 0)

export const createCallQueue = ({ codec, deadlines, timeout, buffer, problem, left }: CallQueueOptions): CallQueue => {
  const calls = new Set<Call>()
  let queue = new Set<Call>()
  /** Timers of calls that are to go there later. */
  const pauses = new Map<Call, Timer>()
  /** Calls on a socket that are not known to be subscriptions: the server takes only so many at once. */
  const running = new Set<Call>()
  let peer: Peer | undefined
  let slots = 0
  let nextId = -1
  let held = 0

  const flush = () => {
    for (const call of queue) {
      if (!peer || running.size >= slots) return
      queue.delete(call)
      if (!call.isStream) running.add(call)
      // The same on every socket, so that the server knows it again.
      call.id ||= nextId += 2
      call.open(peer)
    }
  }
  const resume = (call: Call) => {
    // Asked of every call, and true of few.
    if (!pauses.has(call)) return
    clearTimeout(pauses.get(call))
    pauses.delete(call)
  }
  const owner = {
    streams(call: Call) {
      if (running.delete(call)) flush()
    },
    ended(call: Call) {
      if (!calls.delete(call)) return
      held -= sizeOf(call)
      deadlines.delete(call)
      queue.delete(call)
      resume(call)
      owner.streams(call)
      left()
    },
    again(call: Call, delay = 0) {
      if (Date.now() + delay >= (call.deadline ?? 1 / 0)) return false
      running.delete(call)
      resume(call)
      const timer = setTimeout(() => {
        resume(call)
        queue.add(call)
        flush()
      }, delay)
      pauses.set(call, timer)
      left()
      return true
    },
    get problem() {
      return peer ? '' : problem()
    },
  }

  return {
    get size() {
      return calls.size
    },
    make(path, input, settings, refused) {
      const call = createCall(owner, codec, path, input, settings, timeout)
      const size = sizeOf(call)
      if (refused) call.end('UNAVAILABLE', `not sent: ${refused}`)
      if (held + size > buffer) call.end('RESOURCE_EXHAUSTED', `would make more than ${buffer} bytes wait`)
      if (!call.ended) {
        calls.add(call)
        held += size
        deadlines.add(call)
        codec.keep?.(call.input!)
        queue.add(call)
      }
      return call
    },
    lead(to, most = 256) {
      peer = to
      slots = most
    },
    restore(own) {
      for (const call of own) running.delete(call)
      queue = new Set([...own, ...queue])
    },
    move(call) {
      queue.add(call)
    },
    flush,
    end(code, why) {
      for (const call of [...calls]) call.end(code, why)
    },
  }
}
