import type { Clock } from './clock.ts'

export type Direction = 'up' | 'down'

/** What becomes of a connection: as in test/faults, and in frames instead of bytes. */
export type Fault = { at: Direction; when: 'before' | 'after'; frame: number } & Action

export type Action =
  /** Both ends lose it, and what is under way is lost. */
  | { action: 'cut' }
  /** The client loses it. What it sent arrives after `ms`, and the server hears no end. */
  | { action: 'abandon'; ms: number }
  /** The server loses it, and the client hears no end. */
  | { action: 'orphan' }
  /** This direction delivers nothing more, not even its end. */
  | { action: 'half' }
  | { action: 'black-hole' }
  /** This direction waits; then all of it comes, in order. */
  | { action: 'hold'; ms: number }
  /** Both ends are closed, as if by the other one. */
  | { action: 'close'; code: number }
  /** The client's hello comes to the server a second time, on another connection, which nobody hears. */
  | { action: 'duplicate-connect' }

/** How a socket comes to be, or does not. */
export interface Dial {
  readonly how: 'ok' | 'refuse' | 'throw' | 'hang' | 'mute'
  /** Milliseconds on the way, in each direction. */
  readonly latency: number
  readonly faults: readonly Fault[]
}

// biome-ignore lint/suspicious/noExplicitAny: each event has fields of its own
type Listener = (event: any) => void

/** One end of a connection in memory. */
export class End {
  readyState = 0
  binaryType = 'blob'
  /** Whether it has been told of its end. */
  over = false
  readonly #listeners: Record<string, Listener[]> = {}
  readonly #out: (item: Item) => void
  readonly #aborted: () => void

  constructor(out: (item: Item) => void, aborted: () => void) {
    this.#out = out
    this.#aborted = aborted
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners[type] ??= []
    this.#listeners[type].push(listener)
  }

  send(data: unknown): void {
    if (this.readyState !== 1) throw new Error('not open')
    this.#out({ data })
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState > 1) return
    const connecting = this.readyState === 0
    this.readyState = 2
    if (connecting) this.#aborted()
    else this.#out({ code, reason })
  }

  open(): void {
    if (this.readyState !== 0) return
    this.readyState = 1
    this.#emit('open', {})
  }

  hear(data: unknown): void {
    if (this.readyState < 3) this.#emit('message', { data })
  }

  end(code: number, reason = ''): void {
    if (this.over) return
    this.over = true
    this.readyState = 3
    this.#emit('close', { code, reason })
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners[type] ?? []) listener(event)
  }
}

type Item = { readonly data: unknown } | { readonly code: number; readonly reason: string }

/** One direction of a connection: in order, each item after its time on the way. */
class Pipe {
  frames = 0
  shut = false
  readonly #clock: Clock
  readonly #latency: number
  readonly #queue: { item: Item; due: number }[] = []
  readonly #deliver: (item: Item) => void
  readonly #isData: (fault: Fault) => boolean
  #faults: Fault[]
  readonly #act: (fault: Fault) => void
  #heldUntil = 0
  #timer: unknown

  constructor(
    clock: Clock,
    latency: number,
    faults: readonly Fault[],
    act: (fault: Fault) => void,
    deliver: (item: Item) => void,
  ) {
    this.#clock = clock
    this.#latency = latency
    this.#faults = [...faults]
    this.#act = act
    this.#deliver = deliver
    this.#isData = ({ when, frame }) => (when === 'before' ? frame <= this.frames + 1 : frame <= this.frames)
  }

  push(item: Item): void {
    if (this.shut) return
    this.#queue.push({ item, due: this.#clock.now + this.#latency })
    this.#arm()
  }

  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now + ms)
    this.#arm()
  }

  /** Goes on, and stays whole. */
  release(): void {
    this.#faults = []
    this.#heldUntil = 0
    this.#arm()
  }

  close(): void {
    this.shut = true
    this.#queue.length = 0
    this.#clock.clear(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#clock.clear(this.#timer)
    this.#timer = undefined
    const first = this.#queue[0]
    if (!first || this.shut) return
    const at = Math.max(first.due, this.#heldUntil)
    this.#timer = this.#clock.set(() => this.#next(), at - this.#clock.now)
  }

  #next(): void {
    this.#timer = undefined
    const first = this.#queue[0]
    if (!first || this.shut) return
    const isData = 'data' in first.item
    if (isData && this.#fault('before')) {
      this.#arm()
      return
    }
    this.#queue.shift()
    if (isData) this.frames++
    this.#deliver(first.item)
    if (isData) this.#fault('after')
    this.#arm()
  }

  /** @returns whether something was done */
  #fault(when: 'before' | 'after'): boolean {
    const due = this.#faults.find((fault) => fault.when === when && this.#isData(fault))
    if (!due) return false
    this.#faults = this.#faults.filter((fault) => fault !== due)
    this.#act(due)
    return true
  }
}

/** A connection of the client, and what becomes of it. */
export class Connection {
  readonly client: End
  readonly server: End
  readonly #clock: Clock
  readonly #network: Network
  readonly #dial: Dial
  readonly #up: Pipe
  readonly #down: Pipe
  #hello: unknown
  readonly #duplicates: End[] = []
  #accepted = false
  #gone = false

  constructor(network: Network, clock: Clock, dial: Dial) {
    this.#network = network
    this.#clock = clock
    this.#dial = dial
    const { latency, faults } = dial
    const pipe = (at: Direction, deliver: (item: Item) => void) =>
      new Pipe(
        clock,
        latency,
        faults.filter((fault) => fault.at === at),
        (fault) => this.act(fault, at),
        deliver,
      )
    this.client = new End(
      (item) => this.#up.push(item),
      () => {
        clock.set(() => this.client.end(1006, 'closed before it was open'))
        if (this.#accepted) clock.set(() => this.server.end(1006), latency)
        this.#gone = true
      },
    )
    this.server = new End(
      (item) => this.#down.push(item),
      () => {},
    )
    this.server.readyState = 1
    this.#up = pipe('up', (item) => {
      if (!this.#accepted) return
      if ('data' in item) {
        this.#hello ??= item.data
        this.server.hear(item.data)
      } else this.#close(this.server, this.#down, item)
    })
    this.#down = pipe('down', (item) => {
      if ('data' in item) this.client.hear(item.data)
      else this.#close(this.client, this.#up, item)
    })
    if (dial.how === 'refuse') clock.set(() => this.client.end(1006, 'refused'), latency)
    if (dial.how === 'ok') clock.set(() => this.#accept(), latency)
    if (dial.how === 'mute') clock.set(() => this.client.open(), latency)
  }

  /** Neither end knows of the other any more, or both know of the end. */
  get isOver(): boolean {
    return this.client.over && (this.server.over || !this.#accepted)
  }

  get isOpen(): boolean {
    return this.#accepted && !this.server.over
  }

  act(fault: Action, at: Direction = 'up'): void {
    if (this.#gone) return
    // A connection that is not there yet can only fail.
    if (fault.action === 'cut' || !this.#accepted) this.cut()
    else if (fault.action === 'abandon') {
      this.#up.hold(fault.ms)
      this.#down.close()
      this.client.end(1006, 'abandoned')
    } else if (fault.action === 'orphan') {
      this.#up.close()
      this.#down.close()
      if (this.#accepted) this.#network.ended(this.server, 1006)
    } else if (fault.action === 'half') (at === 'up' ? this.#up : this.#down).close()
    else if (fault.action === 'black-hole') {
      this.#up.close()
      this.#down.close()
    } else if (fault.action === 'hold') (at === 'up' ? this.#up : this.#down).hold(fault.ms)
    else if (fault.action === 'close') this.cut(fault.code)
    else this.#duplicate()
  }

  cut(code = 1006): void {
    this.#gone = true
    this.#up.close()
    this.#down.close()
    this.client.end(code, 'fault')
    if (this.#accepted) this.#network.ended(this.server, code)
    for (const end of this.#duplicates) this.#network.ended(end, 1006)
  }

  /** What is held comes. What was swallowed, the client has to find out; once it has, the server hears of it as well. */
  heal(): void {
    for (const end of this.#duplicates) this.#network.ended(end, 1006)
    if (this.isOver) return
    this.#up.release()
    this.#down.release()
    if (this.#up.shut || this.#down.shut || this.client.over || this.#dial.how === 'hang' || this.#dial.how === 'mute')
      this.#await()
  }

  #await(): void {
    this.#clock.set(() => (this.client.readyState > 1 ? this.cut() : this.#await()), 20)
  }

  #accept(): void {
    if (this.#gone) return
    this.#accepted = true
    this.#network.accept(this.server)
    this.#clock.set(() => this.client.open(), this.#dial.latency)
  }

  #close(end: End, back: Pipe, { code, reason }: { code: number; reason: string }): void {
    if (end.readyState === 1) back.push({ code, reason })
    if (end === this.server) this.#network.ended(end, code, reason)
    else end.end(code, reason)
  }

  #duplicate(): void {
    const end: End = new End(
      () => {},
      () => {},
    )
    end.readyState = 1
    this.#duplicates.push(end)
    this.#network.accept(end, this.server)
    const hello = this.#hello
    if (hello !== undefined) this.#clock.set(() => end.hear(hello), 1)
  }
}

/** Where clients' sockets lead. */
export interface Host {
  accept(end: End): void
  /** Its end of a socket is over. */
  ended(end: End): void
}

/** A network in memory, between one client and whichever server it leads to at the moment. */
export class Network {
  readonly connections: Connection[] = []
  /** Sockets go here. */
  host: Host
  dials: readonly Dial[]
  healed = false
  dialled = 0
  readonly #clock: Clock
  readonly #hosts = new Map<End, Host>()

  constructor(clock: Clock, host: Host, dials: readonly Dial[]) {
    this.#clock = clock
    this.host = host
    this.dials = dials
  }

  readonly connect = (): End => {
    const dial = (!this.healed && this.dials[this.dialled]) || { how: 'ok', latency: 1, faults: [] }
    this.dialled++
    if (dial.how === 'throw') throw new Error('no socket to be had')
    const connection = new Connection(this, this.#clock, dial)
    this.connections.push(connection)
    return connection.client
  }

  /** @param beside where the other socket leads, this one does as well */
  accept(end: End, beside?: End): void {
    const host = (beside && this.#hosts.get(beside)) ?? this.host
    this.#hosts.set(end, host)
    host.accept(end)
  }

  ended(end: End, code: number, reason = ''): void {
    if (end.over) return
    this.#hosts.get(end)?.ended(end)
    end.end(code, reason)
  }

  /** All connections that are not over. */
  get live(): Connection[] {
    return this.connections.filter((connection) => !connection.isOver)
  }

  /** Every connection that leads to this server. */
  of(host: Host): Connection[] {
    return this.live.filter(({ server }) => this.#hosts.get(server) === host)
  }

  heal(): void {
    this.healed = true
    for (const connection of this.connections) connection.heal()
  }
}
