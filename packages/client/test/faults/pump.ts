import type { Socket } from 'node:net'
import { drop } from './drop.ts'
import type { Fault } from './fault.ts'
import type { FrameScanner } from './frame-scanner.ts'
import { Throttle } from './throttle.ts'

export interface PumpOptions {
  source: Socket
  sink: Socket
  scanner: FrameScanner
  faults: Fault[]
  act(fault: Fault): void
  /** Bytes are about to be passed on, those of the HTTP head included. */
  onPass(bytes: Buffer): void
  /** Nothing more will be passed on, or come. */
  onOver(): void
}

/** Passes on one direction of a connection, frame by frame, and says when a fault is due. */
export class Pump {
  /** Bytes passed on behind the HTTP head. */
  bytes = 0
  readonly scanner: FrameScanner
  readonly #options: PumpOptions
  readonly #faults: Fault[]
  readonly #queue: Array<Buffer | 'end' | 'reset'> = []
  readonly #holds = new Set<NodeJS.Timeout>()
  #held = false
  #throttle: Throttle | undefined
  #sourceOver = false
  #shut = false
  #lastWords: Buffer | undefined
  #draining = false

  constructor(options: PumpOptions) {
    this.#options = options
    this.scanner = options.scanner
    this.#faults = [...options.faults]
    const { source, sink } = options
    source.on('data', (chunk: Buffer) => this.#push(chunk))
    source.once('end', () => this.#over('end'))
    source.once('close', () => this.#over('reset'))
    sink.on('drain', () => this.#drain())
    // A sink that goes while it is behind never drains.
    sink.once('close', () => this.#drain())
  }

  /** Whatever comes is swallowed. */
  get isShut(): boolean {
    return this.#shut
  }

  /** The source has ended, and there is nothing left to pass on. */
  get isSpent(): boolean {
    return this.#sourceOver && (this.#shut || this.#queue.length === 0)
  }

  /** Delivers nothing more, not even the end. */
  shut(): void {
    this.#shut = true
    this.release()
  }

  /** Ends with these bytes, as soon as the frame under way is whole. */
  shutWith(lastWords: Buffer): void {
    if (this.#shut || this.#lastWords) return
    this.#lastWords = lastWords
    this.release()
  }

  /** Without a time: until `release`. */
  hold(ms?: number): void {
    if (ms === undefined) {
      this.#held = true
    } else {
      const timer = setTimeout(() => {
        this.#holds.delete(timer)
        this.#drain()
      }, ms)
      this.#holds.add(timer)
    }
    this.#drain()
  }

  release(): void {
    this.#held = false
    for (const timer of this.#holds) clearTimeout(timer)
    this.#holds.clear()
    this.#drain()
  }

  slow(bytesPerSecond: number): void {
    this.#throttle?.stop()
    this.#throttle = new Throttle(bytesPerSecond, () => this.#drain())
  }

  #push(item: Buffer | 'end' | 'reset'): void {
    this.#queue.push(item)
    this.#drain()
  }

  #over(how: 'end' | 'reset'): void {
    // A source that has ended also closes, and perhaps with an error of what we still wrote to it: no news.
    if (this.#sourceOver) return
    this.#sourceOver = true
    this.#push(how)
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    const { source, sink } = this.#options
    sink.cork()
    while (this.#step());
    sink.uncork()
    this.#draining = false
    if (this.#shut) {
      this.#queue.length = 0
      this.#throttle?.stop()
    }
    // Only a hold may fill the queue: otherwise what the sink does not take waits in the source's kernel.
    if (this.#queue.length === 0 || this.#isHeld) source.resume()
    else source.pause()
    if (this.isShut || this.isSpent) this.#options.onOver()
  }

  get #isHeld(): boolean {
    return this.#held || this.#holds.size > 0
  }

  /** Does the next thing there is to do. False if there is none for now. */
  #step(): boolean {
    const { scanner } = this
    const { sink } = this.#options
    if (this.#shut || this.#isHeld) return false
    if (this.#lastWords) {
      if (scanner.atBoundary || scanner.opaque) return this.#finish('end')
    } else if (this.#actIfDue()) {
      return true
    }
    const next = this.#queue[0]
    if (next === undefined) return false
    if (typeof next === 'string') return this.#finish(next)
    if (!sink.writable) {
      this.#shut = true
      return false
    }
    if (sink.writableNeedDrain) return false
    const allowed = this.#lastWords ? next.length : Math.min(this.#untilFault(), this.#throttle?.allow() ?? next.length)
    if (allowed < 1) return false
    this.#pass(next, allowed)
    return true
  }

  #pass(chunk: Buffer, allowed: number): void {
    const { handshaken } = this.scanner
    const taken = this.scanner.take(chunk.subarray(0, allowed))
    const bytes = chunk.subarray(0, taken)
    if (taken < chunk.length) this.#queue[0] = chunk.subarray(taken)
    else this.#queue.shift()
    if (handshaken) this.bytes += taken
    this.#throttle?.spend(taken)
    this.#options.onPass(bytes)
    this.#options.sink.write(bytes)
  }

  #actIfDue(): boolean {
    const at = this.#faults.findIndex((fault) => this.#isDue(fault))
    if (at === -1) return false
    this.#options.act(this.#faults.splice(at, 1)[0]!)
    return true
  }

  #isDue({ before, after, byte }: Fault): boolean {
    if (!this.scanner.handshaken) return false
    if (byte !== undefined) return this.bytes >= byte
    if (after !== undefined) return this.scanner.frames >= after
    const next = this.#queue[0]
    return this.scanner.frames >= before! - 1 && typeof next === 'object' && this.scanner.opens(next[0]!)
  }

  /** How many bytes may pass before one of the faults that count bytes is due. */
  #untilFault(): number {
    if (!this.scanner.handshaken) return Number.POSITIVE_INFINITY
    return Math.min(
      ...this.#faults.map(({ byte }) => (byte === undefined ? Number.POSITIVE_INFINITY : byte - this.bytes)),
    )
  }

  #finish(how: 'end' | 'reset'): false {
    const { sink } = this.#options
    this.#queue.length = 0
    if (this.#lastWords) {
      if (this.scanner.atBoundary && sink.writable) sink.write(this.#lastWords)
      this.#shut = true
    }
    // No `drop` for an end: the sink may still be the source of the other direction.
    if (how === 'reset') drop(sink, true)
    else if (sink.writable) sink.end()
    return false
  }
}
