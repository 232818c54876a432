// Counts what a process does that costs something, by standing in the way of it. To be loaded before anything it is to
// count: a class that extends Error, say, keeps the one it found.
import { promiseHooks } from 'node:v8'

export interface Counts {
  /** Promises made, and continuations, microtasks and ticks run: what has to wait its turn. */
  promises: number
  turns: number
  timers: number
  controllers: number
  errors: number
  /** JSON.stringify and JSON.parse. */
  stringified: number
  parsed: number
  /** Random numbers asked for, which ids are made of. */
  random: number
}

const counts: Counts = {
  promises: 0,
  turns: 0,
  timers: 0,
  controllers: 0,
  errors: 0,
  stringified: 0,
  parsed: 0,
  random: 0,
}
const names = Object.keys(counts) as (keyof Counts)[]

/** Replaces a function by one that counts and then does the same. */
const wrap = <T extends object>(on: T, name: keyof T, count: keyof Counts) => {
  const real = on[name] as (...args: unknown[]) => unknown
  Object.defineProperty(on, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: unknown[]) {
      counts[count]++
      return real.apply(this, args)
    },
  })
}
const wrapClass = (name: 'AbortController' | 'Error', count: keyof Counts) => {
  const real = globalThis[name] as unknown as new (...args: unknown[]) => object
  const construct = (_: unknown, args: unknown[], target: unknown) => {
    counts[count]++
    return Reflect.construct(real, args, target as new () => object)
  }
  Object.assign(globalThis, { [name]: new Proxy(real, { construct: construct as never }) })
}

wrap(globalThis, 'setTimeout', 'timers')
wrap(globalThis, 'setInterval', 'timers')
wrap(AbortSignal, 'timeout', 'controllers')
wrap(AbortSignal, 'any', 'controllers')
wrap(JSON, 'stringify', 'stringified')
wrap(JSON, 'parse', 'parsed')
wrap(crypto, 'getRandomValues', 'random')
wrap(crypto, 'randomUUID', 'random')
wrap(globalThis, 'queueMicrotask', 'turns')
wrap(process, 'nextTick', 'turns')
wrapClass('AbortController', 'controllers')
wrapClass('Error', 'errors')

/** What a piece of work costs. */
export const count = async (work: () => Promise<unknown>): Promise<Counts> => {
  const stop = promiseHooks.createHook({
    init: () => {
      counts.promises++
    },
    before: () => {
      counts.turns++
    },
  })
  const before = { ...counts }
  await work()
  const after = { ...counts }
  stop()
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Counts
}
