import type { MadeCall, MadeSubscription, Played } from './play.ts'
import { TIMEOUT } from './play.ts'
import type { Run } from './world.ts'

/** How exact the clocks are, in milliseconds: 0 in memory. */
export interface Exactness {
  readonly slack: number
}

/** What a played program shows to be broken of what is promised: DESIGN.md, 6, in terms of runs and outcomes only. */
export const broken = (played: Played, { slack }: Exactness): string[] => {
  const problems = [...played.problems]
  const { program, world, calls, subscriptions, refreshes, states, stage } = played
  const steps = program.steps

  /** Whether the connection was closed, by its user or by a verdict, at some time from `from` to `to`. */
  const stopped = (from: number, to: number) =>
    states.some(({ at, state }, index) => {
      const until = states[index + 1]?.at ?? Number.POSITIVE_INFINITY
      return state === 'closed' && at <= to + slack && until >= from - slack
    })
  const codes = new Set(states.map(({ detail }) => detail.code))
  const told = (code: number) =>
    steps.some((step) => step.do === 'kick' && step.code === code) ||
    steps.some((step) => step.do === 'fault' && step.fault.action === 'close' && step.fault.code === code) ||
    program.dials.some(({ faults }) => faults.some((fault) => fault.action === 'close' && fault.code === code))
  const injected = (code: number) => codes.has(code) || told(code)
  const closes = steps.some((step) => step.do === 'close')
  const duplicates =
    program.dials.some(({ faults }) => faults.some(({ action }) => action === 'duplicate-connect')) ||
    steps.some((step) => step.do === 'fault' && step.fault.action === 'duplicate-connect')
  // It stops where it was told to, and nowhere else.
  for (const { state, detail } of states) {
    const { code, reason } = detail
    if (state !== 'closed' || code === undefined || told(code) || program.attempts !== undefined) continue
    if ((code === 4301 || code === 4003) && program.auth.length) continue
    if (code === 4008 && duplicates) continue
    problems.push(`it was stopped by ${code} ${reason}`)
  }

  /** Whether a server may have had to forget. */
  const forgetful =
    played.restarted ||
    told(1000) ||
    closes ||
    states.slice(0, played.finalState).some(({ state }) => state === 'closed') ||
    stage.outage + slack >= program.grace ||
    program.idle > 0 ||
    duplicates

  const moves = steps.filter((step) => step.do === 'restart' && step.how !== 'crash').length

  const runsOf = (call: MadeCall): Run[] =>
    call.step.kind === 'keyed'
      ? world.runs.filter(({ work }) => work.key === call.work.key && work.v === call.work.v)
      : world.runs.filter(({ work }) => work.n === call.work.n)

  const checkCall = (call: MadeCall, name: string) => {
    const { step, work, value, error } = call
    const { kind, timeout } = step
    const say = (what: string) => problems.push(`${name} ${what}`)
    const runs = runsOf(call)
    if (call.ends !== 1) return say(`ended ${call.ends} times`)

    // At most once, whatever was told.
    if (kind === 'plain' || kind === 'upload' || kind === 'once') if (runs.length > 1) say(`ran ${runs.length} times`)
    if (kind === 'keyed') {
      const lives = new Set(runs.map(({ life }) => life)).size
      if (runs.length > (program.ledger === 'durable' ? 1 : lives)) say(`ran ${runs.length} times under one key`)
      const inputs = world.runs.filter((run) => run.work.key === work.key)
      if (program.ledger === 'durable' && inputs.length > 1) say('ran with another input under the same key')
    }
    for (const run of runs) if (run.at + slack < call.at && kind !== 'keyed') say('ran before it was made')

    const late = timeout !== undefined && call.endedAt - call.at > timeout + 5 + slack
    if (late) say(`ended ${call.endedAt - call.at - timeout} ms after its deadline`)
    // A mutation is stopped by nothing but its caller, its deadline, and the end of the grace.
    for (const run of runs)
      if (
        (run.aborted ?? Infinity) < call.endedAt &&
        !['read', 'keyed'].includes(kind) &&
        !forgetful &&
        !call.cancelled &&
        !timeout
      )
        say(`was aborted after ${run.aborted! - run.at} ms`)

    if (value) {
      const run = runs.find(({ index }) => index === value.run)
      if (!run) say('has the value of another run')
      else if (run.work.end !== 'value') say('has a value of a run that failed')
      if (kind === 'upload' && value.sum !== (step.items * (step.items + 1)) / 2) say(`has the sum ${value.sum}`)
      if (value.n !== work.n) say('has the value of another call')
      return
    }
    if (!error) return say('ended with nothing')
    const { code, executed } = error
    const told = `${code} ${executed} (${error.message})`
    const mine = kind === 'keyed' ? runs.filter(({ at }) => at >= call.at) : runs
    if (executed === 'no' && mine.length && kind !== 'keyed') say(`says ${told} and ran`)
    if (executed === 'yes' && !runs.length) say(`says ${told} and did not run`)
    if (code === 'ABORTED') {
      const run = runs.find(({ index }) => index === (error.data as { run: number } | undefined)?.run)
      if (run?.work.end !== 'error') say(`has an error of no run of its: ${told}`)
    } else if (code === 'INTERNAL') {
      if (work.end !== 'bug' || !runs.length) say(`has ${told}`)
    } else if (code === 'CANCELLED') {
      if (!call.cancelled && !closes) say(`was cancelled by nobody: ${told}`)
    } else if (code === 'DEADLINE_EXCEEDED') {
      if (call.endedAt - call.at + slack < (timeout ?? TIMEOUT)) say(`expired early: ${told}`)
      if (timeout === undefined) say(`waited to its end: ${told}`)
    } else if (code === 'RESOURCE_EXHAUSTED') {
      // What was cancelled may still run, and then keeps its place.
      const alone = calls.every((other) => !other.cancelled && other.step.timeout === undefined)
      const undisturbed = states.filter(({ state }) => state === 'open').length <= 1 && alone && !moves
      if (!program.rate && (!program.calls || undisturbed)) say(`was refused without a limit: ${told}`)
      else if (!program.calls && kind !== 'upload' && timeout === undefined) say(`was not tried again: ${told}`)
    } else if (code === 'FAILED_PRECONDITION') {
      const others = calls.filter((other) => other.step.kind === 'keyed' && other.work.key === work.key)
      if (kind !== 'keyed' || others.every(({ work: { v } }) => v === work.v)) say(`has ${told}`)
    } else if (code === 'INVALID_ARGUMENT') {
      if (!injected(1009)) say(`has ${told}`)
    } else if (code === 'UNAVAILABLE') {
      if (stopped(call.at, call.endedAt)) return
      // What was sent may have to be given up, but never without a reason.
      if (kind === 'read' || kind === 'idempotent') say(`was given up: ${told}`)
      else if (kind !== 'upload' && !forgetful && !program.results) say(`was forgotten: ${told}`)
      else if (executed === 'yes') say(`has ${told}`)
    } else say(`has ${told}`)
  }

  /** Which log it is of: a state of a later one than the events is no loss, as a gap will come between them. */
  const age = ({ epoch }: { epoch: string }) => world.logs.findIndex((log) => log.epoch === epoch)

  /** How often a subscription of this time may have lost its place, at most. */
  const losses = (since: number) => {
    const last = Math.max(...world.logs.map((log) => log.last))
    const opened = states.filter(({ at, state }) => state === 'open' && at >= since).length
    return opened + moves + world.logs.length - 1 + (last > program.retain ? last : 0)
  }

  const checkTracked = ({ heard, step, at }: MadeSubscription, say: (what: string) => void) => {
    /** The last event, where no gap came behind it. */
    let last: { epoch: string; offset: number } | undefined
    /** What was loaded, from which on nothing may be missing. */
    let position: { epoch: string; offset: number } | undefined
    /** The last thing heard of that says where it stands, whether or not a gap came behind it. */
    let seen: { epoch: string; offset: number } | undefined
    /** When that came: by then the server has said where the subscription stands, which was asked for before. */
    let loaded: number | undefined
    let lostAt: number | undefined
    let gaps = 0
    for (const item of heard) {
      if (item.type === 'event') {
        const { epoch, offset } = item.event
        if (last && (epoch !== last.epoch || offset !== last.offset + 1))
          say(`goes from ${last.epoch}.${last.offset} to ${epoch}.${offset}`)
        // With a rate, the subscription may be refused that the state was loaded behind.
        else if (!last && position && !program.rate)
          if (age(position) < age(item.event) || (position.epoch === epoch && offset > position.offset + 1))
            say(`begins with ${epoch}.${offset}, behind a state of ${position.epoch}.${position.offset}`)
        if (seen && seen.epoch === epoch && offset <= seen.offset) say(`goes back to ${offset}`)
        last = item.event
        seen = item.event
        position = undefined
      } else if (item.type === 'start') {
        position = item.position
        loaded = item.loaded
      } else {
        if (step.kind === 'feed') {
          const known =
            last ||
            (!program.rate && !program.calls && !program.pad && loaded !== undefined && loaded + slack < item.at)
          if (item.reason === 'untracked' && known) say('lost its place, which it had')
          if (item.reason === 'lost' && last) {
            const log = item.logs.at(-1)!
            const whole = item.logs.length === 1 && log.epoch === last.epoch && log.first <= last.offset + 1
            if (whole) say(`was told of a gap behind ${last.offset}, where nothing is missing from ${log.first} on`)
          }
          if (item.reason === 'lost' && item.logs.length === 1 && item.logs[0]!.first === 1)
            say('was told that something is lost of a log that is whole')
        } else if (item.reason !== 'untracked') say(`was told of a gap: ${item.reason}`)
        if (item.reason === 'lost' && item.at === lostAt && !last) say('was told twice that something is lost')
        if (item.reason === 'lost') lostAt = item.at
        gaps++
        last = undefined
        position = item.position
        loaded = item.loaded
      }
    }
    if (!program.rate && gaps > losses(at))
      say(`was told of ${gaps} gaps, and lost its place ${losses(at)} times at most`)
  }

  const checkSubscription = (made: MadeSubscription, name: string) => {
    const { ended, error, left, late, heard } = made
    const say = (what: string) =>
      problems.push(`${name} ${what}; ${heard.map((item) => (item.type === 'event' ? item.event.offset : item.type))}`)
    if (late) say(`heard ${late} things after its end`)
    if (ended > 1 || (left && ended)) say(`ended ${ended} times`)
    if (error) {
      const { code } = error
      const told = `${code} ${error.message}`
      if (code === 'UNAVAILABLE') {
        if (!stopped(made.at, Number.POSITIVE_INFINITY)) say(`was given up: ${told}`)
      } else if (code === 'CANCELLED') {
        if (!closes) say(`was cancelled by nobody: ${told}`)
      } else if (code === 'DATA_LOSS') {
        if (made.step.gaps) say(`ended by a gap: ${told}`)
      } else if (code === 'RESOURCE_EXHAUSTED' ? !program.rate : code !== 'INVALID_ARGUMENT' || !injected(1009))
        say(`has ${told}`)
    } else if (ended) say('is done, which nobody said')
    checkTracked(made, say)
  }

  for (const [index, call] of calls.entries()) checkCall(call, `call ${index + 1} (${call.step.kind})`)
  for (const [index, made] of subscriptions.entries())
    checkSubscription(made, `subscription ${index + 1} (${made.step.kind})`)
  for (const { ends, error } of refreshes) {
    if (ends !== 1) problems.push(`a refresh ended ${ends} times`)
    const fine = ['UNAVAILABLE', 'CANCELLED', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED']
    const bug = program.auth.includes('bug') || program.params.includes('reject')
    if (injected(1009)) fine.push('INVALID_ARGUMENT')
    if (error && !fine.includes(error.code) && !bug) problems.push(`a refresh has ${error.code} ${error.message}`)
  }
  return problems
}
