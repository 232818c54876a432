import { connect, type Socket } from 'node:net'
import { closeFrame } from './close-frame.ts'
import { drop } from './drop.ts'
import type { Direction, Fault } from './fault.ts'
import { scanDown, scanUp } from './frame-scanner.ts'
import { Pump } from './pump.ts'
import type { Random } from './random.ts'

/** What passed in one direction behind the handshake: bytes, data messages, and control frames. */
export interface Passed {
  readonly bytes: number
  readonly frames: number
  readonly control: number
}

export interface ConnectionOptions {
  index: number
  client: Socket
  target: { host: string; port: number }
  faults: Fault[]
  random: Random
  /** For cuts that do not say; without it the seed says. */
  reset: boolean | undefined
  /** Every socket opened is shown, so that closing the proxy leaves none. */
  onSocket(socket: Socket): void
  log(what: string): void
  onGone(): void
}

/** One TCP connection of a client, and the one to the server that belongs to it. */
export class Connection {
  readonly index: number
  readonly #options: ConnectionOptions
  readonly #client: Socket
  readonly #server: Socket
  readonly #up: Pump
  readonly #down: Pump
  readonly #reset: boolean
  readonly #mask: Uint8Array
  /** What passed up so far, if a duplicate is to send it again. */
  readonly #sent: Buffer[] | undefined
  readonly #duplicates = new Set<Socket>()
  #closing = false
  #gone = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.index = options.index
    const { client, random, faults } = options
    // Drawn now and not when due, so that timing has no say in what is drawn.
    const draw = random.next() < 0.5
    this.#reset = options.reset ?? draw
    this.#mask = Uint8Array.from({ length: 4 }, () => random.int(256))
    this.#sent = faults.some(({ action }) => action === 'duplicate-connect') ? [] : undefined
    this.#client = client
    this.#server = this.#open()
    client.setNoDelay()
    this.#watch(client, 'client')
    this.#watch(this.#server, 'server')
    const scanners = { up: scanUp(), down: scanDown() }
    const pump = (at: Direction, source: Socket, sink: Socket, onPass: (bytes: Buffer) => void) =>
      new Pump({
        source,
        sink,
        onPass,
        scanner: scanners[at],
        faults: faults.filter((fault) => fault.at === at),
        act: (fault) => this.#act(fault),
        onOver: () => this.#settle(),
      })
    this.#up = pump('up', client, this.#server, (bytes) => this.#sent?.push(bytes))
    this.#down = pump('down', this.#server, client, () => {
      // After a refused upgrade the client goes on in HTTP.
      if (scanners.down.opaque) scanners.up.opaque = true
    })
  }

  get up(): Passed {
    return passed(this.#up)
  }

  get down(): Passed {
    return passed(this.#down)
  }

  /** Ends both TCP connections. What passed before is written first; what is held is lost. */
  cut({ reset = this.#reset }: { reset?: boolean } = {}): void {
    if (this.#gone) return
    this.#options.log(`cut by ${reset ? 'RST' : 'FIN'}`)
    this.#end(reset)
  }

  /** Both directions, or one, wait until `release`. */
  hold(direction?: Direction): void {
    this.#options.log(`hold ${direction ?? 'both'}`)
    for (const pump of this.#pumps(direction)) pump.hold()
  }

  /** Goes on, in order, with all that was held: by `hold` or by a fault. */
  release(direction?: Direction): void {
    this.#options.log(`release ${direction ?? 'both'}`)
    for (const pump of this.#pumps(direction)) pump.release()
  }

  /** Swallows everything in both directions; both TCP connections stay open until cut. */
  blackHole(): void {
    this.#options.log('black hole')
    this.#up.shut()
    this.#down.shut()
  }

  /** Sends a close frame to both ends, then ends both TCP connections. */
  close(code?: number, reason?: string): void {
    this.#options.log(`close ${code ?? ''} ${reason ?? ''}`)
    this.#closing = true
    this.#down.shutWith(closeFrame(code, reason))
    this.#up.shutWith(closeFrame(code, reason, this.#mask))
  }

  #act(fault: Fault): void {
    // As one writes it in a plan, to be copied from a failing test.
    this.#options.log(`fault ${JSON.stringify(fault)}`)
    const pump = fault.at === 'up' ? this.#up : this.#down
    if (fault.action === 'cut') this.cut(fault)
    else if (fault.action === 'abandon') this.#abandon(fault.reset ?? this.#reset)
    else if (fault.action === 'half') pump.shut()
    else if (fault.action === 'black-hole') this.blackHole()
    else if (fault.action === 'hold') pump.hold(fault.ms)
    else if (fault.action === 'slow') pump.slow(fault.bytesPerSecond)
    else if (fault.action === 'close') this.close(fault.code, fault.reason)
    else this.#duplicate()
  }

  #abandon(reset: boolean): void {
    this.#up.shut()
    this.#down.shut()
    drop(this.#client, reset)
  }

  #duplicate(): void {
    const socket = this.#open()
    this.#duplicates.add(socket)
    socket.on('error', (error) => this.#options.log(`duplicate: ${error.message}`))
    socket.once('end', () => socket.end())
    socket.once('close', () => this.#duplicates.delete(socket))
    socket.resume()
    socket.write(Buffer.concat(this.#sent ?? []))
  }

  #open(): Socket {
    const socket = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true })
    this.#options.onSocket(socket)
    return socket
  }

  #watch(socket: Socket, name: string): void {
    socket.on('error', (error) => this.#options.log(`${name}: ${error.message}`))
    socket.once('end', () => this.#options.log(`${name} ended`))
  }

  /** Once neither end has anything more to say, or both were told of a close: a swallowed end is made up for. */
  #settle(): void {
    const how = this.#closing ? 'isShut' : 'isSpent'
    if (this.#up[how] && this.#down[how]) this.#end(false)
  }

  #end(reset: boolean): void {
    if (this.#gone) return
    this.#gone = true
    this.#up.shut()
    this.#down.shut()
    drop(this.#client, reset)
    drop(this.#server, reset)
    for (const socket of this.#duplicates) drop(socket, reset)
    this.#options.onGone()
  }

  #pumps(direction: Direction | undefined): Pump[] {
    return direction === undefined ? [this.#up, this.#down] : [direction === 'up' ? this.#up : this.#down]
  }
}

const passed = ({ bytes, scanner: { frames, control } }: Pump): Passed => ({ bytes, frames, control })
