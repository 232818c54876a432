import type { AddInput, Tick } from '../app.ts'

/** What a client process is given to connect with. */
export interface Connect {
  url: string
  WebSocket: unknown
  opts: Options
}

/** How a contender differs from another of the same folder. */
export interface Options {
  /** Where a peer needs it for dates, maps and bytes. */
  superjson?: boolean
  /** Offers permessage-deflate, as browsers do. */
  deflate?: boolean
  /** Compatibility flags of its Worker. */
  flags?: readonly string[]
}

/** What a contender's client can do. What is missing is not measured. */
export interface Api {
  add(input: AddInput): PromiseLike<number>
  /** With zod on the server, where `add` does without. */
  addZod?(input: AddInput): PromiseLike<number>
  /** As a call with an effect, where that is something else. */
  put?(input: AddInput): PromiseLike<number>
  echo?(value: unknown): PromiseLike<unknown>
  /** With zod on the server, both ways. */
  echoChecked?(value: unknown): PromiseLike<unknown>
  echoBytes?(bytes: Uint8Array): PromiseLike<Uint8Array>
  ticks?(n: number, hear: (tick: Tick) => void): PromiseLike<unknown>
  /** From a topic instead of a generator. */
  topic?(n: number, hear: (tick: Tick) => void): PromiseLike<unknown>
  join?(hear: (tick: Tick) => void): PromiseLike<() => unknown>
  /** Opens a subscription, from a generator, that brings nothing. */
  idle?(): PromiseLike<unknown>
  publish?(k: number): PromiseLike<unknown>
  close(): void
}

/** A contender's client. */
export interface ClientModule {
  connect(options: Connect): Promise<Api>
  /** What it can carry of an order; all, if it says nothing. */
  carries?(opts: Options): { dates: boolean; maps: boolean }
}
