import fc from 'fast-check'
import type { Action, Dial, Fault } from './network.ts'

/** Each close code of the wire and of WebSocket's own that ends a connection. */
export const CODES = [
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 1015, 4000, 4001, 4002, 4003, 4004,
  4005, 4006, 4008, 4100, 4101, 4102, 4103, 4104, 4105, 4200, 4202, 4300, 4301,
] as const
/** Those after which a client comes back. */
const KIND_CODES = [1001, 1005, 1006, 1009, 1011, 1012, 4100, 4101, 4103, 4104, 4200, 4202, 4300, 4301] as const

export const KINDS = ['read', 'plain', 'idempotent', 'once', 'keyed', 'upload'] as const
export type Kind = (typeof KINDS)[number]

export type Step = { readonly pause: number } & (
  | {
      readonly do: 'call'
      readonly kind: Kind
      readonly ms: number
      readonly end: 'value' | 'error' | 'bug'
      readonly obeys: boolean
      readonly timeout: number | undefined
      readonly key: string
      readonly v: number
      readonly items: number
    }
  | {
      readonly do: 'subscribe'
      readonly kind: 'feed' | 'raw'
      /** Whether it hears of gaps; without, it fails at one. */
      readonly gaps: boolean
      /** Milliseconds that its reader takes for an event. */
      readonly slow: number
    }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'publish'; readonly count: number }
  | {
      readonly do: 'fault'
      readonly fault: Action
      readonly at: 'up' | 'down'
      readonly on: 'all' | 'newest' | 'oldest'
    }
  | { readonly do: 'kick'; readonly code: number }
  | {
      readonly do: 'restart'
      readonly how: 'crash' | 'drain' | 'drain-here'
      readonly newLog: boolean
      readonly ms: number
    }
  | { readonly do: 'refresh' }
  | { readonly do: 'reconnect' }
  | { readonly do: 'close' }
  | { readonly do: 'wait' }
)

export interface Program {
  readonly seed: number
  readonly grace: number
  readonly window: number
  readonly retain: number
  readonly rate: number
  readonly results: number
  readonly calls: number
  readonly pad: number
  readonly ledger: 'memory' | 'durable'
  readonly idle: number
  readonly attempts: number | undefined
  readonly auth: readonly ('ok' | 'unauthenticated' | 'forbidden' | 'unavailable' | 'bug' | 'slow')[]
  readonly params: readonly ('ok' | 'slow' | 'reject')[]
  readonly dials: readonly Dial[]
  readonly steps: readonly Step[]
}

const maybe = <T>(rarely: fc.Arbitrary<T>, mostly: T, weight = 9) =>
  fc.oneof({ weight, arbitrary: fc.constant(mostly) }, { weight: 1, arbitrary: rarely })

const code = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KIND_CODES) },
  { weight: 1, arbitrary: fc.constantFrom(...CODES) },
)

const holdMs = fc.constantFrom(5, 40, 150, 600)
const cut = fc.constant({ action: 'cut' } as const)
const abandon = fc.record({ action: fc.constant('abandon' as const), ms: holdMs })
const orphan = fc.constant({ action: 'orphan' } as const)
const hold = fc.record({ action: fc.constant('hold' as const), ms: holdMs })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: cut },
  { weight: 2, arbitrary: abandon },
  { weight: 2, arbitrary: orphan },
  { weight: 2, arbitrary: fc.constant({ action: 'half' } as const) },
  { weight: 1, arbitrary: fc.constant({ action: 'black-hole' } as const) },
  { weight: 3, arbitrary: hold },
  { weight: 3, arbitrary: fc.record({ action: fc.constant('close' as const), code }) },
  { weight: 1, arbitrary: fc.constant({ action: 'duplicate-connect' } as const) },
)
const at = fc.constantFrom('up' as const, 'down' as const)
const faultOf = (action: fc.Arbitrary<Action>): fc.Arbitrary<Fault> =>
  fc
    .tuple(at, fc.constantFrom('before' as const, 'after' as const), fc.integer({ min: 1, max: 6 }), action)
    .map(([at, when, frame, action]) => ({ at, when, frame, ...action }))
const dialOf = (action: fc.Arbitrary<Action>): fc.Arbitrary<Dial> =>
  fc.record({
    how: maybe(
      fc.constantFrom('refuse' as const, 'throw' as const, 'hang' as const, 'mute' as const),
      'ok' as const,
      7,
    ),
    latency: fc.constantFrom(1, 2, 5, 20),
    faults: fc.array(faultOf(action), { maxLength: 2 }),
  })

const pause = fc.constantFrom(0, 0, 0, 1, 2, 4, 10, 30, 120, 700)
const ms = fc.constantFrom(0, 0, 1, 4, 20, 90, 300, 1_500)
const call = fc.record({
  do: fc.constant('call' as const),
  kind: fc.constantFrom(...KINDS),
  ms,
  end: maybe(fc.constantFrom('error' as const, 'bug' as const), 'value' as const),
  obeys: fc.boolean(),
  timeout: maybe(fc.constantFrom(1, 20, 200, 2_000), undefined, 4),
  key: fc.constantFrom('a', 'b'),
  v: maybe(fc.constant(2), 1, 4),
  items: fc.nat(3),
  pause,
})
const subscribe = fc.record({
  do: fc.constant('subscribe' as const),
  kind: fc.constantFrom('feed' as const, 'feed' as const, 'raw' as const),
  gaps: maybe(fc.constant(false), true, 5),
  slow: maybe(fc.constantFrom(3, 30), 0, 3),
  pause,
})
const publish = fc.record({ do: fc.constant('publish' as const), count: fc.constantFrom(1, 1, 2, 3, 9), pause })
const faultNow = (action: fc.Arbitrary<Action>) =>
  fc.record({
    do: fc.constant('fault' as const),
    fault: action,
    at,
    on: fc.constantFrom('all' as const, 'newest' as const, 'oldest' as const),
    pause,
  })
const restart = (...hows: ('crash' | 'drain' | 'drain-here')[]) =>
  fc.record({
    do: fc.constant('restart' as const),
    how: fc.constantFrom(...hows),
    newLog: maybe(fc.constant(true), false, 3),
    ms: fc.constantFrom(0, 20, 200),
    pause,
  })
const refresh = fc.record({ do: fc.constant('refresh' as const), pause })
const cancel = fc.record({ do: fc.constant('cancel' as const), which: fc.nat(9), pause })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: call },
  { weight: 7, arbitrary: subscribe },
  { weight: 6, arbitrary: publish },
  { weight: 5, arbitrary: faultNow(action) },
  { weight: 2, arbitrary: cancel },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kick' as const), code, pause }) },
  { weight: 3, arbitrary: restart('crash', 'drain', 'drain-here') },
  { weight: 1, arbitrary: refresh },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), pause }) },
  { weight: 1, arbitrary: fc.record({ do: maybe(fc.constant('close' as const), 'wait' as const, 2), pause }) },
)

/** @param size how many steps it has at most */
export const program = (size = 14): fc.Arbitrary<Program> =>
  fc.record({
    seed: fc.nat(),
    grace: fc.constantFrom(400, 400, 60, 5_000),
    window: maybe(fc.constantFrom(1, 200), 262_144, 4),
    retain: fc.constantFrom(1_000, 1_000, 3),
    rate: maybe(fc.constant(20), 0, 7),
    results: maybe(fc.constantFrom(1, 400), 0, 7),
    calls: maybe(fc.constant(2), 0, 7),
    pad: maybe(fc.constant(6_000), 0, 7),
    ledger: fc.constantFrom('memory' as const, 'durable' as const),
    idle: maybe(fc.constantFrom(10, 100), 0),
    attempts: maybe(fc.constant(3), undefined),
    auth: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          fc.constantFrom('ok', 'ok', 'ok', 'slow', 'unauthenticated', 'forbidden', 'unavailable', 'bug'),
          { maxLength: 5 },
        ),
      },
    ),
    params: maybe(fc.array(fc.constantFrom('ok', 'ok', 'slow', 'reject'), { maxLength: 5 }), []),
    dials: fc.array(dialOf(action), { maxLength: 6 }),
    steps: fc.array(step, { minLength: 1, maxLength: size, size: 'max' }),
  })

const late: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: abandon },
  { weight: 2, arbitrary: orphan },
  { weight: 3, arbitrary: hold },
)
const moving: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: call },
  { weight: 4, arbitrary: subscribe },
  { weight: 2, arbitrary: publish },
  { weight: 6, arbitrary: faultNow(late) },
  { weight: 8, arbitrary: restart('drain-here', 'drain-here', 'drain-here', 'drain') },
  { weight: 2, arbitrary: refresh },
  { weight: 1, arbitrary: cancel },
)

/** With little but moves from socket to socket, where what is on the one can be later than what is on the other. */
export const moves = (size = 9): fc.Arbitrary<Program> =>
  fc
    .record({
      seed: fc.nat(),
      pad: fc.constantFrom(0, 0, 0, 6_000),
      auth: maybe<Program['auth']>(fc.constant(['ok', 'slow', 'ok', 'slow']), []),
      dials: fc.array(
        fc.record({
          how: fc.constant('ok' as const),
          latency: fc.constantFrom(1, 1, 5, 20, 20),
          faults: fc.array(faultOf(late), { maxLength: 1 }),
        }),
        { maxLength: 5 },
      ),
      steps: fc.array(moving, { minLength: 3, maxLength: size, size: 'max' }),
    })
    .map((drawn) => ({ ...PLAIN, ...drawn }))

/** What a program has in which nothing is unusual but its faults. */
export const PLAIN = {
  grace: 400,
  window: 262_144,
  retain: 1_000,
  rate: 0,
  results: 0,
  calls: 0,
  ledger: 'memory',
  idle: 0,
  attempts: undefined,
  params: [],
  seed: 0,
  pad: 0,
  auth: [],
} as const
