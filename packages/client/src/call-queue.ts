import { Call, type CallSettings, type Codec, type Peer } from '@pairwire/wire'

/** The calls of a connection that have not ended: those that wait for a socket, in order, and those that are on one. */
export interface CallQueue {
  size(): number
  /** Makes a call and sends it, or has it wait, unless it has ended at once, or is `refused` for a reason. */
  make(path: string, input: unknown, settings: CallSettings | undefined, refused: string | undefined): Call
  /** Where calls go from now on, and how many of them at once; nowhere: they wait. */
  lead(peer?: Peer, slots?: number): void
  /** Takes back calls whose socket is gone: they go first. */
  restore(calls: Call[]): void
  /** Takes back a call that is to move. */
  move(call: Call): unknown
  flush(): void
  /** Ends every call that is there now. */
  end(code: string, why: string): void
}

export interface CallQueueOptions {
  readonly codec: Codec
  /** Milliseconds that a call may take if it says nothing else. */
  readonly timeout: number
  /** Bytes that calls may take. */
  readonly buffer: number
  /** Why calls have to wait. */
  problem(): string
  /** A call is on no socket any more. */
  left(): void
}

/**
 * Calls that this process waits for, on all its connections. While there are none both ends would idle, so that the next one
 * does not wait for others to share its frame with.
 */
let underWay = 0

/** What keeping a call takes, in bytes, about. */
export const sizeOf = ({ input }: Call): number => 64 + (input ? input.json.length + (input.length ?? 0) : 0)

export const createCallQueue = ({ codec, timeout, buffer, problem, left }: CallQueueOptions): CallQueue => {
  const calls = new Set<Call>()
  /** Those that wait for a place, in order. */
  let queue = new Set<Call>()
  /** Kept, since one from the front would pass by all that have left the queue already. */
  let waiting = queue.values()
  /** How many calls on a socket are not known to be subscriptions: the server takes only so many at once. */
  let running = 0
  let peer: Peer | undefined
  /** Whether the next call is the first since one has ended: of several that are made together, one leaves alone. */
  let isFirst = true
  let slots = 0
  let nextId = -1
  let held = 0
  /** For the deadlines of all calls. It stays set when its call has ended: to set and clear one for each call costs more. */
  let timer: ReturnType<typeof setTimeout> | undefined
  let due = Infinity

  const watch = ({ deadline = due }: Call) => {
    if (deadline >= due) return
    due = deadline
    clearTimeout(timer)
    timer = setTimeout(sweep, due - Date.now())
  }
  const sweep = () => {
    due = Infinity
    for (const call of calls) {
      if (call.deadline! <= Date.now()) call.expire()
      else watch(call)
    }
  }
  /** Where there is neither a socket nor a call, no timer keeps a process alive, or a Durable Object awake. */
  const unwatch = () => {
    if (calls.size) return
    clearTimeout(timer)
    due = Infinity
  }
  /** Says how many places a call takes, 1 or none; returns how many it took. */
  const take = (call: Call, places: number) => {
    const { runs } = call
    call.runs = places
    running += places - runs
    underWay += places - runs
    return runs
  }
  const open = (call: Call) => {
    isFirst = false
    take(call, +!call.isStream)
    // The same on every socket, so that the server knows it again.
    call.id ||= nextId += 2
    call.open(peer!)
  }
  const flush = () => {
    while (peer && running < slots && queue.size) {
      const { value: call, done } = waiting.next()
      // At its end an iterator has done with what is added later.
      if (done) waiting = queue.values()
      else {
        queue.delete(call)
        open(call)
      }
    }
  }
  // No getters here, nor below: they would make a dictionary of the object.
  const owner = {
    streams(call: Call) {
      if (take(call, 0)) flush()
    },
    ended(call: Call) {
      if (!calls.delete(call)) return
      held -= sizeOf(call)
      isFirst = true
      // One that takes a place does not wait for one.
      if (!call.runs) queue.delete(call)
      clearTimeout(call.pause)
      owner.streams(call)
      left()
    },
    again(call: Call, delay: number) {
      if (Date.now() + delay >= (call.deadline ?? 1 / 0)) return false
      take(call, 0)
      clearTimeout(call.pause)
      call.pause = setTimeout(() => {
        queue.add(call)
        flush()
      }, delay)
      left()
      return true
    },
    problem: () => (peer ? '' : problem()),
  }

  return {
    size: () => calls.size,
    make(path, input, settings, refused) {
      const call = new Call(owner, codec, path, input, settings, timeout)
      const size = sizeOf(call)
      if (refused) call.end('UNAVAILABLE', `not sent: ${refused}`)
      if (held + size > buffer) call.end('RESOURCE_EXHAUSTED', `would make more than ${buffer} bytes wait`)
      if (!call.ended) {
        calls.add(call)
        held += size
        watch(call)
        if (peer && running < slots && !queue.size) {
          const outbox = isFirst && !underWay ? peer.line.outbox : undefined
          outbox?.hold?.()
          open(call)
          outbox?.release?.(true)
        } else {
          codec.keep?.(call.input!)
          queue.add(call)
        }
      }
      return call
    },
    lead(to, most = 256) {
      peer = to
      slots = most
      if (!to) unwatch()
    },
    restore(own) {
      for (const call of own) take(call, 0)
      queue = new Set([...own, ...queue])
      waiting = queue.values()
    },
    move(call) {
      take(call, 0)
      queue.add(call)
    },
    flush,
    end(code, why) {
      for (const call of calls) call.end(code, why)
      unwatch()
    },
  }
}
