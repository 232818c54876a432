import { BOUNDS } from './bounds.ts'

/** What a probe counted, by group and name. */
export type Found = Record<string, Record<string, number>>

interface Group {
  /** The process that counts it. */
  readonly probe: Probe
  /** What it says when there is more than there may be. */
  readonly advice: string
  /** Less is as wrong as more. */
  readonly isExact?: true
  /** Room that a bound leaves, as a share of it. */
  readonly room?: number
}

// Nothing is optimized or collected while bytes are counted, and no other thread takes part: so they are always the same.
const EXACTLY = [
  '--expose-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--no-opt',
  '--no-maglev',
  '--single-threaded',
]

/** Each is a process of its own, with flags of its own. */
export const PROBES = { frames: [], counts: [], values: [], garbage: EXACTLY, heap: EXACTLY }
export type Probe = keyof typeof PROBES

export const GROUPS: Record<string, Group> = {
  bytes: {
    probe: 'frames',
    isExact: true,
    advice:
      'A message has grown, or shrunk. If the wire was changed on purpose, docs/PROTOCOL.md says so too: then write the new number into bench/guard/bounds.ts. Else look at what packages/wire/src/frame.ts composes.',
  },
  frames: {
    probe: 'frames',
    advice:
      'Messages that could share a frame no longer do. Look at what flushes an outbox, and when (packages/wire/src/outbox.ts): in workerd there is no turn in which the microtasks are done, so the quiet is waited for there.',
  },
  promises: {
    probe: 'counts',
    advice:
      'Something on this way awaits, or is an async function, that did not before. What is there already can be passed on in the same turn, without a promise.',
  },
  turns: {
    probe: 'counts',
    advice:
      'Something on this way waits for more turns than before: an `await` of what is no promise, a `then` that only passes on, or a longer wait for the quiet.',
  },
  timers: {
    probe: 'counts',
    advice:
      'A timer is set for each of these. Deadlines share one timer at each end (packages/wire/src/deadlines.ts), and a call that is answered in its turn needs none.',
  },
  'never made': {
    probe: 'counts',
    advice:
      'Nothing that goes well needs one of these. An AbortController is made when a handler asks for its signal, an Error where something failed, a random id once for each connection.',
  },
  stringify: {
    probe: 'counts',
    advice:
      'Something is written as JSON more often than once: a path that is the same each time, a value that others have encoded already, or one that is encoded only to be looked at.',
  },
  parse: { probe: 'counts', advice: 'A frame is parsed once, and its messages are taken from that.' },
  values: {
    probe: 'values',
    advice:
      'The codec does more than it has to. Plain data is looked through once and written as it is; a rich value is walked once. See packages/wire/src/rich-codec.ts.',
  },
  broadcast: {
    probe: 'values',
    advice:
      'What many subscribers are given is made once for all of them, and kept with the event (`Tracked.keep`): see packages/router/src/check-event.ts and packages/wire/src/event.ts.',
  },
  garbage: {
    probe: 'garbage',
    room: 0.05,
    advice:
      'More is allocated than before: often a closure, a copy, a spread or a promise for each of these. `node --heap-prof`, or the heap profiler with includeObjectsCollectedByMinorGC, says where.',
  },
  heap: {
    probe: 'heap',
    room: 0.05,
    advice:
      'More is kept of what does nothing: a closure for each, a map or a set that nobody has used yet, an object with getters (a dictionary to V8), or something that could be let go of. Compare two heap snapshots.',
  },
}

/** One number beside its bound. */
export interface Check {
  readonly group: string
  readonly name: string
  readonly bound: number
  /** Undefined where nothing was counted under this name. */
  readonly counted: number | undefined
  readonly verdict: 'ok' | 'below' | 'failed'
}

/** What differs from one run to the next: the bound is far above it, and far below what goes wrong there. */
export const isLoose = (group: string, name: string): boolean => group === 'frames' && name.includes('1,000 calls')

const judge = ({ isExact, room = 0 }: Group, bound: number, counted: number | undefined): Check['verdict'] => {
  if (counted === undefined || Number.isNaN(counted)) return 'failed'
  if (isExact) return Math.abs(counted - bound) < 1e-6 ? 'ok' : 'failed'
  if (counted > bound + 1e-6) return 'failed'
  return counted < bound * (0.95 - room) - 0.01 ? 'below' : 'ok'
}

/** Every number of a probe that there is a bound for; one without a bound counts as failed, since it guards nothing. */
export const judgeAll = (found: Found, probe: Probe): Check[] => {
  const checks: Check[] = []
  for (const [group, of] of Object.entries(GROUPS)) {
    if (of.probe !== probe) continue
    const bounds = BOUNDS[group] ?? {}
    const names = new Set([...Object.keys(bounds), ...Object.keys(found[group] ?? {})])
    for (const name of names) {
      const bound = bounds[name] ?? Number.NaN
      const counted = found[group]?.[name]
      const verdict = judge(of, bound, counted)
      checks.push({
        group,
        name,
        bound,
        counted,
        verdict: verdict === 'below' && isLoose(group, name) ? 'ok' : verdict,
      })
    }
  }
  return checks
}

/** The bound that what was counted asks for. */
export const boundFor = (group: string, counted: number): number => {
  const { isExact, room } = GROUPS[group]!
  if (isExact) return counted
  if (room) return Math.ceil((counted * (1 + room)) / 10) * 10
  return Math.ceil(counted * 100 - 1e-6) / 100
}
