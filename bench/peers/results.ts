import type { Host } from './contenders/index.ts'
import type { Spread } from './spread.ts'

/** All that a run has found out: what `results/peers.json` holds. */
export interface Results {
  made: string
  mode: 'quick' | 'full'
  /** Whether other processes disturbed too much of it. */
  provisional: boolean
  /** Cells in which other processes used more than a quarter of a core, of how many. */
  disturbed: { cells: number; of: number }
  rounds: number
  machine: { processor: string; cores: number; system: string; node: string }
  versions: Record<string, string>
  rates: Rate[]
  wires: WireRow[]
  memory: MemoryRow[]
  /** Of a client in a page, by contender; bytes after minify and gzip. */
  sizes: Record<string, number>
  /** What a client's features cost a page, and what its bytes are there for. */
  features: Feature[]
  parts: Part[]
  workers: WorkerRow[]
  /** Type instantiations, by what is compiled. */
  types: Record<string, number>
  /** What could not be measured, and why. */
  failures: string[]
}

/** One cell of one contender. */
export interface Rate {
  host: Host
  contender: string
  cell: string
  perSecond: Spread
  /** To the base's in the same round. */
  ratio?: Spread | undefined
  /** Microseconds of processor for each call or event: the client's, the server's. */
  client: number
  server: number
  /** Of both directions, for each call or event, with the framing of WebSocket. */
  bytes: number
  /** Of sequential calls, in microseconds. */
  p50?: number
  p99?: number
  /** Whether dates and maps arrived as such, where that was the question. */
  rich?: boolean
}

export interface WireRow {
  host: Host
  contender: string
  call: number
  answer: number
  burstCall: number
  burstAnswer: number
  event?: number
}

/** Bytes of the server's heap. */
export interface MemoryRow {
  contender: string
  connection: Spread
  /** For each idle subscription: of a topic or what the contender has for one, and of an async generator. */
  topic?: Spread
  generator?: Spread
}

/** Bytes after minify, and after gzip, of a client with something. */
export interface Feature {
  title: string
  min: number
  gzip: number
}

export interface Part {
  purpose: string
  min: number
}

/** A Worker: its bytes after minify, after gzip, and milliseconds until it has been imported. */
export interface WorkerRow {
  host: Host
  contender: string
  min: number
  gzip: number
  ms?: Spread
}
