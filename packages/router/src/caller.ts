import { type Client, isRpcError, type Observer, RpcError, Tracked } from '@pairwire/contract'
import { checkedEvents } from './checked-events.ts'
import type { Invocation } from './invocation.ts'
import { type CallerOptions, LocalCall, type Settings } from './local-call.ts'
import type { Entry } from './route.ts'

/** Runs one call of a procedure, as `router.run` does. */
export type Run = (entry: Entry, call: Invocation) => unknown

/** Makes a client whose calls stay in this process and go the way that a peer's calls go. */
export const createCaller = <C, ClientContract>(
  entries: Iterable<Entry>,
  run: Run,
  ctx: unknown,
  options: CallerOptions<ClientContract>,
): Client<C> => {
  const root = Object.create(null)
  for (const entry of entries) {
    const names = entry.path.split('.')
    const last = names.pop() as string
    let namespace = root
    for (const name of names) namespace = namespace[name] ??= Object.create(null)
    const invoke = entry.kind === 'subscription' ? subscribe : call
    namespace[last] = (input?: unknown, settings: Settings = {}) =>
      invoke(run, entry, () => new LocalCall(input, ctx, settings, options))
  }
  return root
}

const call = async (run: Run, entry: Entry, open: () => LocalCall): Promise<unknown> => {
  const local = open()
  try {
    return await local.start(() => run(entry, local))
  } finally {
    local.end()
  }
}

// Starts with its first reader; a client's subscription starts when it is called.
const subscribe = (run: Run, entry: Entry, open: () => LocalCall): object => ({
  [Symbol.asyncIterator]: () => events(run, entry, open()),
  subscribe: (observer: Observer<unknown, RpcError>) => {
    const local = open()
    let stopped = false
    // A callback that throws is its author's to see, and no reason to end the process.
    observe(events(run, entry, local), observer, () => stopped).catch((error) => {
      // biome-ignore lint/suspicious/noConsole: there is nobody left to throw to
      console.error('pairwire:', error)
    })
    return () => {
      stopped = true
      local.cancel()
    }
  },
})

async function* events(run: Run, entry: Entry, local: LocalCall): AsyncGenerator<unknown, void> {
  let iterator: AsyncIterator<unknown> | undefined
  try {
    const source = await local.start(() => run(entry, local) as AsyncIterable<unknown>)
    iterator = checkedEvents(entry, local, source)
    for (;;) {
      const { done, value } = await local.wait((iterator as AsyncIterator<unknown>).next())
      if (done) return
      if (!(value instanceof Tracked)) yield value
      else if (!value.bare) yield value.data
    }
  } finally {
    const cancelled = local.ended
    local.end()
    // A reader who leaves finds the handler's `finally` done. One who was cancelled does not wait for it.
    const left = iterator?.return?.()
    if (!cancelled) await left
  }
}

const observe = async (
  events: AsyncIterable<unknown>,
  { onData, onError, onDone }: Observer<unknown, RpcError>,
  stopped: () => boolean,
): Promise<void> => {
  try {
    for await (const event of events) {
      if (stopped()) return
      await onData?.(event)
      if (stopped()) return
    }
  } catch (error) {
    if (stopped()) return
    if (!onError) throw error
    onError(isRpcError(error) ? error : new RpcError('UNKNOWN', undefined, { cause: error }))
    return
  }
  if (!stopped()) onDone?.()
}
