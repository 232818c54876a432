import type { RpcError } from '@pairwire/contract'
import { type ConnectionState, createClient, type PairwireClient, type StateDetail } from '../../src/index.ts'
import type { Action } from './network.ts'
import type { Program, Step } from './program.ts'
import { type Contract, type Event, type Life, type Position, type Value, type Work, World } from './world.ts'

/** Where a program plays: in memory, or on real sockets. */
export interface Stage {
  now(): number
  /** Lets time pass. */
  wait(ms: number): Promise<void>
  /** Opens a socket for the client. */
  connect(): unknown
  /** Sockets from now on lead here. */
  lead(life: Life): void | Promise<void>
  /** Does this to every connection there is, or to one of them. */
  fault(action: Action, at: 'up' | 'down', on: 'all' | 'newest' | 'oldest'): void
  /** The process has died: its connections break. */
  cut(life: Life): void | Promise<void>
  /** Its server closes every connection with this code. */
  kick(life: Life, code: number): void
  /** No fault from now on, and none that lasts. */
  heal(): void
  /** How long the server had no socket of the client, at most, in milliseconds. */
  readonly outage: number
  close(): void | Promise<void>
}

type CallStep = Step & { do: 'call' }
type SubscribeStep = Step & { do: 'subscribe' }

export interface MadeCall {
  readonly step: CallStep
  readonly work: Work
  readonly at: number
  readonly life: number
  readonly stop: AbortController
  cancelled: boolean
  ends: number
  endedAt: number
  value: (Value & { sum?: number }) | undefined
  error: RpcError | undefined
}

export type Heard =
  | { readonly type: 'event'; readonly event: Event }
  | {
      readonly type: 'gap'
      readonly reason: string
      readonly at: number
      /** What is the newest, and the oldest that is left, of each log at that time. */
      readonly logs: readonly { readonly epoch: string; readonly first: number; readonly last: number }[]
      /** The state that was loaded then. */
      position: Position | undefined
      /** When it came. */
      loaded: number | undefined
    }
  /** The first state, which was asked for behind the subscription. */
  | { readonly type: 'start'; readonly at: number; position: Position | undefined; loaded: number | undefined }

export interface MadeSubscription {
  readonly step: SubscribeStep
  readonly at: number
  readonly heard: Heard[]
  leave(): void
  left: boolean
  ended: number
  error: RpcError | undefined
  /** What was heard after the end. */
  late: number
}

export interface Played {
  readonly program: Program
  readonly world: World
  readonly calls: readonly MadeCall[]
  readonly subscriptions: readonly MadeSubscription[]
  readonly refreshes: readonly { ends: number; error: RpcError | undefined }[]
  readonly states: readonly { readonly at: number; readonly state: ConnectionState; readonly detail: StateDetail }[]
  /** What was wrong already while it played. */
  readonly problems: string[]
  readonly stage: Stage
  readonly client: PairwireClient<Contract>
  /** Whether the memory of a server may have been lost, by a restart. */
  restarted: boolean
  /** How many states there had been when it was closed at the end. */
  finalState: number
  /** When all was healed. */
  healedAt: number
}

/** Long enough that no call meets it that could be answered. */
export const TIMEOUT = 60_000
export const HEARTBEAT = 60
const SETTLE = 55_000

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Whether a server sends this when it has taken a client in. */
export const isWelcome = (frame: unknown): boolean => typeof frame === 'string' && /^\[{1,2}1,/.test(frame)

/** Those of a list, oldest first, that are meant. */
export const meant = <T>(list: readonly T[], on: 'all' | 'newest' | 'oldest'): readonly T[] =>
  on === 'all' ? list : on === 'newest' ? list.slice(-1) : list.slice(0, 1)

/** Plays a program to its end, and then some time without faults. */
export const play = async (program: Program, make: (world: World) => Stage | Promise<Stage>): Promise<Played> => {
  let stage!: Stage
  const world = new World({ ...program, heartbeat: HEARTBEAT, now: () => stage.now() })
  stage = await make(world)
  let asked = 0
  const client = createClient<Contract>('ws://model/', {
    connect: () => stage.connect() as never,
    params: async () => {
      const k = asked++
      const how = (!world.healed && program.params[k]) || 'ok'
      if (how === 'slow') await sleep(30)
      if (how === 'reject') throw new Error('as asked')
      return k
    },
    timeout: TIMEOUT,
    window: program.window,
    idle: program.idle,
    connectTimeout: 100,
    pongTimeout: 50,
    reconnect: {
      minDelay: 5,
      maxDelay: 60,
      ...(program.attempts !== undefined && { attempts: program.attempts }),
    },
  })
  const calls: MadeCall[] = []
  const subscriptions: MadeSubscription[] = []
  const refreshes: { ends: number; error: RpcError | undefined }[] = []
  const states: { at: number; state: ConnectionState; detail: StateDetail }[] = []
  const problems: string[] = []
  const played: Played = {
    program,
    world,
    calls,
    subscriptions,
    refreshes,
    states,
    problems,
    stage,
    client,
    restarted: false,
    finalState: 0,
    healedAt: 0,
  }
  const drains: Promise<void>[] = []
  let loads = 0
  client.$connection.on('state', (state, detail) => {
    if (states.at(-1)?.state === state) problems.push(`state ${state} was told twice`)
    states.push({ at: stage.now(), state, detail })
  })

  const call = (step: CallStep) => {
    const keyed = step.kind === 'keyed'
    const { ms, end, obeys, key, v, timeout } = step
    const work: Work = keyed
      ? { n: 0, ms: 20, end: 'value', obeys: false, key, v }
      : { n: calls.length + 1, ms, end, obeys }
    const stop = new AbortController()
    const made: MadeCall = {
      step,
      work,
      at: stage.now(),
      life: world.life.index,
      stop,
      cancelled: false,
      ends: 0,
      endedAt: 0,
      value: undefined,
      error: undefined,
    }
    calls.push(made)
    const settings = { signal: stop.signal as never, ...(timeout !== undefined && { timeout }) }
    const items = async function* () {
      for (let item = 1; item <= step.items; item++) {
        yield item
        await sleep(2)
      }
    }
    const promise: PromiseLike<Value> = keyed
      ? client.once(work, { ...settings, key: `own ${key}` } as never)
      : step.kind === 'upload'
        ? client.upload(work, { ...settings, stream: items() })
        : client[step.kind as 'plain'](work, settings)
    const ended = () => {
      made.ends++
      made.endedAt = stage.now()
    }
    promise.then(
      (value) => {
        ended()
        made.value = value
      },
      (error) => {
        ended()
        made.error = error
      },
    )
  }

  const load = (into: { position: Position | undefined; loaded: number | undefined }) => {
    loads++
    client.position().then(
      (position) => {
        loads--
        into.position = position
        into.loaded = stage.now()
      },
      () => {
        loads--
      },
    )
  }

  const subscribe = (step: SubscribeStep) => {
    const subscription = client[step.kind]()
    const start: Heard = { type: 'start', at: stage.now(), position: undefined, loaded: undefined }
    const made: MadeSubscription = {
      step,
      at: stage.now(),
      heard: [start],
      leave: () => {
        made.left = true
        leave()
      },
      left: false,
      ended: 0,
      error: undefined,
      late: 0,
    }
    subscriptions.push(made)
    const hear = (heard: Heard) => {
      if (made.left || made.ended) made.late++
      made.heard.push(heard)
    }
    const leave = subscription.subscribe({
      onData(event) {
        hear({ type: 'event', event })
        return step.slow ? sleep(step.slow) : undefined
      },
      onError(error) {
        made.ended++
        made.error = error as RpcError
      },
      onDone() {
        made.ended++
      },
      ...(step.gaps && {
        onGap({ reason }) {
          const logs = world.logs.map(({ epoch, first, last }) => ({ epoch, first, last }))
          const gap: Heard = { type: 'gap', reason, at: stage.now(), logs, position: undefined, loaded: undefined }
          hear(gap)
          load(gap)
        },
      }),
    })
    load(start)
  }

  const restart = async ({ how, newLog, ms }: Step & { do: 'restart' }) => {
    const old = world.life
    if (how === 'drain-here') {
      drains.push(old.server.drain({ timeout: 300, retryAfter: ms }))
      return
    }
    played.restarted = true
    const next = world.boot(newLog)
    await stage.lead(next)
    if (how === 'crash') {
      await stage.cut(old)
      old.die()
    } else {
      const drained = old.server.drain({ timeout: 300, retryAfter: ms }).then(async () => {
        await stage.cut(old)
        old.die()
      })
      drains.push(drained)
    }
  }

  const publish = (count: number) => {
    for (let n = 0; n < count; n++) world.log.publish()
  }

  const act = async (step: Step) => {
    if (step.do === 'call') call(step)
    else if (step.do === 'subscribe') subscribe(step)
    else if (step.do === 'publish') publish(step.count)
    else if (step.do === 'fault') stage.fault(step.fault, step.at, step.on)
    else if (step.do === 'kick') stage.kick(world.life, step.code)
    else if (step.do === 'restart') await restart(step)
    else if (step.do === 'cancel') {
      const all = [...calls, ...subscriptions]
      const made = all[step.which % Math.max(1, all.length)]
      if (made && 'leave' in made) {
        if (!made.ended) made.leave()
      } else if (made && !made.ends) {
        made.cancelled = true
        made.stop.abort()
      }
    } else if (step.do === 'refresh') {
      const refresh = { ends: 0, error: undefined as RpcError | undefined }
      refreshes.push(refresh)
      client.$connection.refresh().then(
        () => {
          refresh.ends++
        },
        (error) => {
          refresh.ends++
          refresh.error = error
        },
      )
    } else if (step.do === 'reconnect') client.$connection.reconnect()
    else if (step.do === 'close') client.$connection.close()
  }

  for (const step of program.steps) {
    await act(step)
    await stage.wait(step.pause)
  }

  // The storm is over: now everything has to come to its end.
  world.healed = true
  played.healedAt = stage.now()
  stage.heal()
  const open = () => subscriptions.filter(({ left, ended }) => !left && !ended)
  const busy = () => calls.some(({ ends }) => !ends) || refreshes.some(({ ends }) => !ends) || loads
  const until = async (holds: () => boolean, most: number) => {
    for (let waited = 0, pause = 20; !holds() && waited < most; waited += pause, pause = Math.min(500, pause * 2))
      await stage.wait(pause)
    return holds()
  }
  await until(() => !busy(), SETTLE)
  const idle = () => client.$connection.state
  if (busy()) problems.push(`without any fault calls still wait, in state ${idle()}`)
  // What is open still hears of what is published.
  await stage.wait(400)
  publish(1)
  const { epoch } = world.log
  const behind = () =>
    open().filter(({ heard }) => {
      const end = heard.at(-1)
      return !(end?.type === 'event' && end.event.epoch === epoch && end.event.offset === world.log.last)
    })
  await until(() => !behind().length, 4_000)
  // Who was told of a gap meanwhile, or has no ids, begins behind it.
  if (behind().length) {
    publish(1)
    await until(() => !behind().length, 4_000)
  }
  for (const { step, at, heard } of behind()) {
    const what = heard.slice(-4).map((item) => (item.type === 'event' ? item.event.offset : item.type))
    const last = states.slice(-4).map(({ state, at }) => `${state} ${Math.round(at - played.healedAt)}`)
    const name = `the ${step.kind} of ${Math.round(played.healedAt - at)} ms before the end`
    problems.push(`${name} hears no more behind ${what}; the connection: ${last}`)
  }
  if (open().length && idle() !== 'open') problems.push(`subscriptions are open in state ${idle()}`)
  await stage.wait(20)
  for (const made of subscriptions) if (!made.ended) made.leave()
  await stage.wait(50)
  await Promise.all(drains)
  await until(() => !loads, 8_000)
  if (client.$connection.pending) problems.push(`pending: ${client.$connection.pending}`)
  played.finalState = states.length
  client.$connection.close()
  const kept = () =>
    world.lives
      .filter(({ alive }) => alive)
      .flatMap(({ index, server }) =>
        Object.entries(server.held).map(([what, count]) => (count ? `life ${index} holds ${what}: ${count}` : '')),
      )
      .filter(Boolean)
  await until(() => !kept().length, program.grace * 1.1 + 2_000)
  problems.push(...kept())
  return played
}
