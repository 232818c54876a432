import { memoryTopic, type Topic } from '@pairwire/server'

/** One run of a handler. */
export interface Run {
  path: string
  ended: boolean
  /** What its signal fired with. */
  aborted: string | undefined
  lastEventId: string | undefined
}

/** What the handlers of one test have seen, whichever server they ran in. */
export interface State {
  runs(key: string): Run[]
  begin(key: string, path: string, signal: AbortSignal, lastEventId?: string): Run
  /** Resolves once the test has opened the gate of this key. */
  gate(key: string): Promise<void>
  open(key: string): void
  openAll(): void
  topic(key: string): Topic<number>
  /** In place of the topic of this key, as after the loss of its memory, or with other bounds. */
  setTopic(key: string, topic: Topic<number>): void
  /** All that was added under this key. */
  items(key: string): readonly number[]
  /** Adds an item, and publishes it. */
  add(key: string, item: number): void
}

interface Gate {
  readonly promise: Promise<void>
  open(): void
}

export const createState = (): State => {
  const runs = new Map<string, Run[]>()
  const gates = new Map<string, Gate>()
  const topics = new Map<string, Topic<number>>()
  const items = new Map<string, number[]>()
  const of = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
    const value = map.get(key) ?? make()
    map.set(key, value)
    return value
  }
  const gateOf = (key: string) =>
    of(gates, key, () => {
      let open = () => {}
      const promise = new Promise<void>((resolve) => {
        open = resolve
      })
      return { promise, open }
    })
  let allOpen = false

  const state: State = {
    runs: (key) => of(runs, key, () => []),
    begin(key, path, signal, lastEventId) {
      const run: Run = { path, ended: false, aborted: undefined, lastEventId }
      signal.addEventListener('abort', () => {
        run.aborted = String((signal.reason as { code?: string }).code)
      })
      state.runs(key).push(run)
      return run
    },
    gate: (key) => (allOpen ? Promise.resolve() : gateOf(key).promise),
    open: (key) => gateOf(key).open(),
    openAll() {
      allOpen = true
      for (const gate of gates.values()) gate.open()
    },
    topic: (key) => of(topics, key, () => memoryTopic<number>({ retain: 100_000 })),
    setTopic: (key, topic) => topics.set(key, topic),
    items: (key) => of(items, key, () => []),
    add(key, item) {
      of(items, key, () => []).push(item)
      state.topic(key).publish(item)
    },
  }
  return state
}
