import { createOutbox, createRichCodec, DEPTH, LIMITS, richTypes, upload } from '@pairwire/wire'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { breathe, Clock, isNode, turn } from '../test/model/clock.ts'
import { type Connection, type ConnectionState, createConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'

// Everything that can happen to a connection, in every order: after each event what must always hold is looked at. Where two
// orders lead to the same state, one of them goes on.

/**
 * The edges of the state machine, and no others:
 *
 * | from       | to         | when                                                                                      |
 * |------------|------------|-------------------------------------------------------------------------------------------|
 * | idle       | connecting | the first call; a call after the socket was closed for want of calls; `reconnect()`        |
 * | idle       | waiting    | the same while the device is offline                                                      |
 * | idle       | closed     | `close()`                                                                                 |
 * | connecting | open       | the welcome                                                                               |
 * | connecting | waiting    | no socket, no params, no welcome in time, or a code that says to come back                |
 * | connecting | idle       | the same, where nothing is pending any more and `idle` is set                             |
 * | connecting | closed     | a code that says to stop; one attempt too many; `close()`                                 |
 * | open       | waiting    | the socket is lost                                                                        |
 * | open       | connecting | `reconnect()`; the socket is lost while another one is on its way                         |
 * | open       | idle       | nothing was pending for the time of `idle`                                                |
 * | open       | closed     | a code that says to stop; `close()`                                                       |
 * | waiting    | connecting | the time has come; the device is online, or the page is there again; `reconnect()`         |
 * | waiting    | closed     | `close()`                                                                                 |
 * | closed     | connecting | `reconnect()`                                                                             |
 * | closed     | waiting    | the same while the device is offline                                                      |
 */
const EDGES: Record<ConnectionState, readonly ConnectionState[]> = {
  idle: ['connecting', 'waiting', 'closed'],
  connecting: ['open', 'waiting', 'idle', 'closed'],
  open: ['waiting', 'connecting', 'idle', 'closed'],
  waiting: ['connecting', 'closed'],
  closed: ['connecting', 'waiting'],
}

const CODES = [1000, 1006, 1009, 4000, 4100, 4200, 4301] as const
type Event =
  | 'call'
  | 'subscribe'
  | 'cancel'
  | 'opens'
  | 'welcome'
  | 'result'
  | 'event'
  | 'lagging'
  | 'refused'
  | 'goaway'
  | 'pong'
  | 'timer'
  | 'online'
  | 'offline'
  | 'wake'
  | 'close()'
  | 'reconnect()'
  | 'connect throws'
  | 'params reject'
  | `lose ${number}`
  | `lose older ${number}`
  | 'result on the older'

interface Made {
  readonly name: string
  readonly isStream: boolean
  id: number
  /** The server has refused it: what is sent then is another call to it. */
  refused: boolean
  ends: number
}

class FakeSocket {
  readyState = 0
  /** The client has closed it, or was told of its end. */
  gone = false
  welcomed = false
  moving = false
  /** Another one was welcomed after it. */
  leaving = false
  seen = 0
  asked = 0
  /** Calls that have come and were not answered here. */
  readonly unanswered = new Set<number>()
  /** Of those, the ones that were not cancelled. */
  readonly live = new Set<number>()
  hello: unknown
  readonly #listeners: Record<string, (event: object) => void> = {}
  readonly #heard: (message: unknown[]) => void

  constructor(heard: (socket: FakeSocket, message: unknown[]) => void) {
    this.#heard = (message) => heard(this, message)
  }
  addEventListener(type: string, listener: (event: never) => void) {
    this.#listeners[type] = listener as never
  }
  send(data: string) {
    const frame = JSON.parse(data)
    for (const message of Array.isArray(frame[0]) ? frame : [frame]) this.#heard(message)
  }
  close() {
    this.gone = true
  }
  emit(type: string, event: object = {}) {
    this.#listeners[type]?.(event)
  }
  say(...message: unknown[]) {
    this.emit('message', { data: JSON.stringify(message) })
  }
}

/** A connection whose other end, network, device and clock are the test. */
class Machine {
  readonly clock = new Clock()
  readonly sockets: FakeSocket[] = []
  readonly calls: Made[] = []
  readonly problems: string[] = []
  readonly connection: Connection
  readonly listeners = new Set<() => void>()
  readonly #device = { onLine: true }
  #throws = false
  #rejects = false
  #state: ConnectionState = 'idle'
  /** Losses in a row, and what the last one asked for: not to be seen from outside, and yet a part of the state. */
  #losses = 0
  #lastCode = 0
  /** Asked for an attempt while offline, which is due then, whatever becomes of the socket that was on its way. */
  #due = false
  readonly #verdicts: { code: number; alone: boolean }[] = []
  readonly #options: ConnectionOptions

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.clock.install(() => 0.5)
    vi.stubGlobal('navigator', this.#device)
    vi.stubGlobal('addEventListener', (_type: string, listener: () => void) => this.listeners.add(listener))
    vi.stubGlobal('removeEventListener', (_type: string, listener: () => void) => this.listeners.delete(listener))
    this.connection = createConnection(
      'ws://fake/',
      () => {
        if (!this.#device.onLine) this.#say('connects while offline')
        if (this.#throws) {
          this.#throws = false
          this.#loss(0)
          throw new Error('no socket')
        }
        const socket = new FakeSocket((socket, message) => this.#hear(socket, message))
        this.sockets.push(socket)
        return socket as never
      },
      {
        timeout: Number.POSITIVE_INFINITY,
        params: async () => {
          if (!this.#rejects) return
          this.#rejects = false
          this.#loss(0)
          throw new Error('no params')
        },
        ...options,
      },
      { codec: createRichCodec(DEPTH, richTypes), outbox: createOutbox, upload },
    )
    this.connection.on('state', (state) => {
      if (!EDGES[this.#state].includes(state)) this.#say(`went from ${this.#state} to ${state}`)
      this.#state = state
    })
  }

  #say(what: string) {
    this.problems.push(what)
  }
  #loss(code: number) {
    this.#losses++
    this.#lastCode = code
  }

  get live(): FakeSocket[] {
    return this.sockets.filter(({ gone }) => !gone)
  }
  get newest(): FakeSocket | undefined {
    return this.live.at(-1)
  }
  get older(): FakeSocket | undefined {
    return this.live.at(-2)
  }
  /** The one that new calls go to. */
  get current(): FakeSocket | undefined {
    return this.live.find(({ welcomed, leaving }) => welcomed && !leaving)
  }
  get pending(): Made[] {
    return this.calls.filter(({ ends }) => !ends)
  }

  #hear(socket: FakeSocket, [op, id, path]: unknown[]) {
    if (op === 0) socket.hello = id
    if (op === 11) socket.asked = this.clock.now
    if (op === 3) socket.live.delete(id as number)
    if (op !== 2) return
    const made = this.calls.find(({ name }) => name === path)!
    if (made.id && made.id !== id && !made.refused) this.#say(`${path} has another id`)
    made.id = id as number
    made.refused = false
    if (made.ends) this.#say(`${path} was sent after its end`)
    if (!socket.welcomed) this.#say(`${path} was sent before the welcome`)
    if (socket.unanswered.has(id as number)) this.#say(`${path} was sent twice on one socket`)
    for (const other of this.live)
      if (other !== socket && other.live.has(id as number)) this.#say(`${path} is on two sockets`)
    socket.unanswered.add(id as number)
    socket.live.add(id as number)
  }

  #answer(socket: FakeSocket, op: number, ...rest: unknown[]) {
    const [id] = socket.live
    for (const made of this.calls) if (op === 8 && made.id === id) made.refused = true
    socket.seen = this.clock.now
    if (op !== 9) {
      socket.live.delete(id!)
      socket.unanswered.delete(id!)
    }
    socket.say(op, id, ...rest)
  }

  #make(isStream: boolean) {
    const made: Made = {
      name: `${isStream ? 'events' : 'call'}${this.calls.length}`,
      isStream,
      id: 0,
      refused: false,
      ends: 0,
    }
    this.calls.push(made)
    const call = this.connection.call(made.name, 1)
    const end = () => {
      made.ends++
      if (made.ends > 1) this.#say(`${made.name} ended twice`)
    }
    if (isStream) call.subscribe({ onGap() {}, onDone: end, onError: end })
    else call.then(end, end)
  }

  /** What may happen now. */
  enabled(): Event[] {
    const { newest, older, pending } = this
    const events: Event[] = []
    if (pending.length < 2) events.push('call')
    if (!pending.some(({ isStream }) => isStream)) events.push('subscribe')
    if (newest && newest.readyState === 0) events.push('opens')
    if (newest && newest.readyState === 1 && newest.hello && !newest.welcomed) events.push('welcome')
    if (newest?.welcomed) {
      events.push('pong')
      if (!newest.moving) events.push('goaway')
      if (newest.live.size) events.push('result', 'refused')
      const [id] = newest.live
      if (this.calls.some((made) => made.isStream && made.id === id)) events.push('event', 'lagging')
    }
    if (older?.live.size) events.push('result on the older')
    if (this.clock.pending) events.push('timer')
    if (newest) for (const code of CODES) events.push(`lose ${code}`)
    if (older) for (const code of [1006, 4000] as const) events.push(`lose older ${code}`)
    events.push(this.#device.onLine ? 'offline' : 'online')
    if (this.listeners.size) events.push('wake')
    events.push('close()', 'reconnect()')
    if (!this.#throws) events.push('connect throws')
    if (!this.#rejects) events.push('params reject')
    return events
  }

  async happen(event: Event): Promise<void> {
    const { newest, older, connection, live } = this
    const before = connection.state
    const waits = this.pending.length > 0
    const lose = (socket: FakeSocket, code: number) => {
      if (socket === newest) this.#loss(code)
      socket.gone = true
      socket.emit('close', { code, reason: '' })
    }
    if (event === 'call') this.#make(false)
    else if (event === 'subscribe') this.#make(true)
    else if (event === 'opens') {
      newest!.readyState = 1
      newest!.emit('open')
    } else if (event === 'welcome') {
      const session = { session: 's', resumed: false, epoch: 'e', heartbeat: 25_000, limits: LIMITS }
      for (const socket of this.live) if (socket.welcomed) socket.leaving = true
      newest!.welcomed = true
      newest!.seen = this.clock.now
      this.#lastCode = 0
      newest!.say(1, session)
    } else if (event === 'result') this.#answer(newest!, 7, 1)
    else if (event === 'result on the older') this.#answer(older!, 7, 1)
    else if (event === 'event') this.#answer(newest!, 9, 1, 'e.1')
    else if (event === 'lagging') this.#answer(newest!, 8, { code: 'DATA_LOSS', executed: 'yes' })
    else if (event === 'refused')
      this.#answer(newest!, 8, { code: 'RESOURCE_EXHAUSTED', executed: 'no', retryAfter: 100 })
    else if (event === 'goaway') {
      newest!.moving = true
      newest!.seen = this.clock.now
      newest!.say(13, { retryAfter: 50 })
    } else if (event === 'pong') {
      newest!.seen = this.clock.now
      newest!.say(12)
    } else if (event === 'timer') await this.clock.step()
    else if (event === 'online' || event === 'offline') {
      this.#device.onLine = event === 'online'
      if (event === 'online') for (const listener of [...this.listeners]) listener()
    } else if (event === 'wake') for (const listener of [...this.listeners]) listener()
    else if (event === 'close()') this.connection.close()
    else if (event === 'reconnect()') {
      this.#losses = 0
      if (!this.#device.onLine) this.#due = true
      this.connection.reconnect()
    } else if (event === 'connect throws') this.#throws = true
    else if (event === 'params reject') this.#rejects = true
    else if (event.startsWith('lose older ')) lose(older!, Number(event.slice(11)))
    else lose(newest!, Number(event.slice(5)))
    await turn()
    const code = Number(/^lose (\d+)$/.exec(event)?.[1])
    const alone = live.length === 1 && before !== 'waiting' && !newest!.moving && !this.#due
    if (code) this.#checkVerdict(code, alone && (!this.#options.idle || waits))
    this.#check()
  }

  /** What the only socket closed with says what comes next. */
  #checkVerdict(code: number, alone: boolean) {
    const { state } = this.connection
    const earlier = this.#verdicts.at(-1)
    this.#verdicts.push({ code, alone })
    if (!alone || state === 'idle') return
    if (code === 1000 || code === 4000) {
      if (state !== 'closed') this.#say(`is ${state} after ${code}`)
    } else if (this.#options.reconnect) return
    else if (code !== 4301 || this.#verdicts.filter((verdict) => verdict.code === 4301).length === 1) {
      if (state !== 'waiting') this.#say(`is ${state} after ${code}`)
    } else if (earlier?.code === 4301 && earlier.alone && state !== 'closed') this.#say(`is ${state} after 4301 again`)
  }

  #check() {
    const { connection, live, clock, pending } = this
    const { state } = connection
    if (state !== this.#state) this.#say(`is ${state} and did not say so`)
    if (!(state in EDGES)) this.#say(`is in state ${state}`)
    if (connection.pending !== pending.length) this.#say(`has ${connection.pending} calls pending of ${pending.length}`)
    if (live.slice(0, -1).some(({ moving }) => !moving)) this.#say(`has ${live.length} sockets, and none asked to move`)
    if (live.some(({ leaving, live }) => leaving && !live.size)) this.#say('keeps a socket that carries nothing')
    if ((state === 'open') !== !!this.current)
      this.#say(`is ${state} with ${this.current ? 'a' : 'no'} welcomed socket`)
    if (state === 'closed') {
      const left = {
        timers: clock.pending,
        sockets: live.length,
        calls: pending.length,
        listeners: this.listeners.size,
      }
      for (const [what, count] of Object.entries(left)) if (count) this.#say(`is closed with ${count} ${what}`)
      return
    }
    // Nobody waits for nothing: a call is on a socket that is watched, or something is under way that ends with it on one.
    const carried = ({ id }: Made) => live.some((socket) => socket.live.has(id))
    const stranded = pending.filter((made) => !carried(made))
    // Deadlines are not what anybody waits for.
    const timers = clock.timers.filter((delay) => delay < 1_000_000).length
    if (stranded.length && state === 'idle') this.#say(`${stranded[0]!.name} waits in an idle connection`)
    if (stranded.length && state === 'waiting' && this.#device.onLine && !timers) this.#say('waits for no timer')
    if (stranded.length && state === 'connecting' && !timers) this.#say('connects without a timer')
    if (live.some(({ welcomed }) => welcomed) && !timers) this.#say('does not watch its socket')
    if (stranded.length && this.current && !this.#pausing())
      this.#say(`${stranded[0]!.name} is not sent on an open socket`)
  }

  /** Whether some timer is due soon that is none of a heartbeat's: a call that is to be sent again. */
  #pausing(): boolean {
    return (this.clock.next ?? Number.POSITIVE_INFINITY) <= 100
  }

  /** The same for two machines that go on alike. */
  get hash(): string {
    const { clock, connection, calls } = this
    const age = (time: number) => (time ? clock.now - time : -1)
    const pending = calls.filter(({ ends }) => !ends)
    const name = (id: number) => pending.findIndex((made) => made.id === id)
    return JSON.stringify([
      connection.state,
      this.#device.onLine,
      this.#throws,
      this.#rejects,
      this.#losses,
      this.#lastCode,
      this.live.map(({ readyState, welcomed, moving, seen, asked, live, unanswered, hello }) => [
        readyState,
        welcomed,
        moving,
        !!hello,
        age(seen),
        age(asked),
        [...live].map(name),
        [...unanswered].map(name),
      ]),
      pending.map(({ isStream, id }) => [isStream, !!id]),
      clock.timers,
    ])
  }

  /** Ends it, and looks whether all has come to its end. */
  async finish(): Promise<void> {
    this.connection.close()
    await turn()
    this.#check()
    for (const { name, ends } of this.calls) if (ends !== 1) this.#say(`${name} ended ${ends} times`)
  }

  dispose() {
    this.clock.uninstall()
  }
}

afterEach(() => vi.unstubAllGlobals())

const run = async (options: ConnectionOptions, events: readonly Event[]) => {
  const machine = new Machine(options)
  try {
    await turn()
    for (const event of events) await machine.happen(event)
    const seen = { hash: machine.hash, enabled: machine.enabled() }
    await machine.finish()
    return { ...seen, problems: machine.problems }
  } finally {
    machine.dispose()
  }
}

/**
 * All orders of events up to a length, behind some that lead to where it begins. Those that lead where others have led are not
 * gone on with.
 */
const explore = async (options: ConnectionOptions, base: readonly Event[], length: number) => {
  const seen = new Set<string>()
  /** With the first, and so the shortest, events that lead to it. */
  const problems = new Map<string, readonly Event[]>()
  let frontier: (readonly Event[])[] = [base]
  let runs = 0
  for (let depth = 0; depth <= length; depth++) {
    const next: (readonly Event[])[] = []
    for (const events of frontier) {
      const { hash, enabled, problems: found } = await run(options, events)
      runs++
      for (const problem of found) {
        const kind = problem.replace(/\d+/g, 'n')
        if (!problems.has(kind)) problems.set(kind, events)
      }
      if (runs % 100 === 0) await breathe()
      if (found.length || seen.has(hash)) continue
      seen.add(hash)
      // What only prepares an attempt comes right before what may bring one.
      const prepares = /throws|reject$/.test(events.at(-1) ?? '')
      for (const event of enabled)
        if (!prepares || /timer|reconnect|call|subscribe|online|wake|lose|reject$/.test(event))
          next.push([...events, event])
    }
    frontier = next
  }
  return {
    states: seen.size,
    runs,
    problems: [...problems].map(([problem, events]) => `${events.join(', ')}: ${problem}`),
  }
}

const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {}
/** How many events, from the beginning and from further on. With the environment variable MACHINE_MORE it takes longer. */
const MORE = Number(env.MACHINE_MORE ?? 0)
const FIRST = (isNode ? 5 : 4) + MORE
const THEN = (isNode ? 3 : 2) + MORE

const OPEN: readonly Event[] = ['call', 'opens', 'welcome']
const MOVED: readonly Event[] = [...OPEN, 'subscribe', 'event', 'goaway', 'timer', 'opens', 'welcome']
const BASES: Record<string, readonly Event[]> = {
  'with a call on an open socket': OPEN,
  'with a subscription on an open socket': ['subscribe', 'opens', 'welcome', 'event'],
  'waiting to move': [...OPEN, 'goaway'],
  'on the move': [...OPEN, 'goaway', 'timer', 'opens'],
  moved: MOVED,
  'told to move a second time': [...MOVED, 'goaway'],
  waiting: ['call', 'lose 1006'],
  'closed by a verdict': ['call', 'opens', 'lose 4000'],
}

const search = async (options: ConnectionOptions, base: readonly Event[], length: number) => {
  const { states, runs, problems } = await explore(options, base, length)
  if (MORE) console.log({ states, runs })
  expect(problems).toEqual([])
  expect(states).toBeGreaterThan(20)
}

describe('a connection, in all orders of events', () => {
  describe.each<[string, ConnectionOptions]>([
    ['without options', {}],
    ['that is closed when idle', { idle: 200 }],
    ['with one attempt', { reconnect: { attempts: 1 } }],
  ])('%s', (_name, options) => {
    it(`in the first ${FIRST} keeps to its states, and loses no call`, { timeout: 3_600_000 }, () =>
      search(options, [], FIRST),
    )
    it.each(Object.entries(BASES))(
      `in ${THEN} more, %s, keeps to its states, and loses no call`,
      { timeout: 3_600_000 },
      (_base, events) => search(options, events, THEN),
    )
  })
})
