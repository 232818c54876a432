import { RpcError } from '@pairwire/contract'
import { Answering } from './answering.ts'
import type { Callable } from './callee.ts'
import type { Line } from './line.ts'
import { isResent } from './memory.ts'
import type { WireOptions } from './messages.ts'
import { type Publisher, Publishing } from './publishing.ts'

/** Who lets calls in, and what it has already. */
export interface Gate extends Publisher {
  /** Milliseconds for a query or mutation that says nothing else: the caller's own default. */
  readonly timeout: number | undefined
  /** Milliseconds after which one more call can be taken; 0: at once. */
  readonly admit: (() => number) | undefined
  /** How many calls run, and how many of them are subscriptions. */
  readonly size: number
  readonly subscriptions: number
}

/** Milliseconds until a call that was sent again is to be tried once more. */
const PLACE_FREE = 100

export const refuse = (code: string, message: string, executed: 'no' | 'unknown', retryAfter?: number): RpcError =>
  new RpcError(code, message, { executed, retryAfter })

export const createAnswering = (
  gate: Publisher,
  id: number,
  procedure: Callable,
  input: unknown,
  options: WireOptions,
  line: Line,
): Answering =>
  new (procedure.kind === 'subscription' ? Publishing : Answering)(gate, id, procedure, input, options, line)

/** @throws RpcError where the call is refused, before anything of it is kept */
export const accept = (
  gate: Gate,
  id: number,
  path: string,
  json: unknown,
  options: WireOptions,
  marks: unknown,
  line: Line,
): Answering => {
  const { callee, limits, memory } = gate
  const procedure = path.length > limits.path ? undefined : callee.find(path)
  const again = (options.attempt as number) > 1
  const resent = isResent(memory, id, options)
  const executed = resent || (again && procedure?.kind !== 'mutation') ? 'unknown' : 'no'
  const wait = gate.admit?.()
  if (wait) throw refuse('RESOURCE_EXHAUSTED', `more than ${limits.rate} calls per second`, executed, wait)
  if (path.length > limits.path)
    throw refuse('INVALID_ARGUMENT', `a path has at most ${limits.path} characters`, executed)
  if (!procedure) throw refuse('NOT_FOUND', `there is no procedure "${path}"`, executed)
  const streams = procedure.kind === 'subscription'
  const max = streams ? limits.subscriptions : limits.calls
  if ((streams ? gate.subscriptions : gate.size - gate.subscriptions) >= max)
    // What was sent again had a place, which is free as soon as its earlier run has ended.
    throw refuse(
      'RESOURCE_EXHAUSTED',
      `more than ${max} ${streams ? 'subscriptions' : 'calls'} at once`,
      executed,
      again ? PLACE_FREE : undefined,
    )
  if (procedure.takesStream && again)
    throw refuse('UNAVAILABLE', `the stream of "${path}" was lost with its connection`, executed)
  if (resent && procedure.kind === 'mutation' && !procedure.retry)
    throw refuse('UNAVAILABLE', `"${path}" was sent before, and what became of it is not known here`, executed)
  const asked = typeof options.timeout === 'number' ? options.timeout : streams ? undefined : gate.timeout
  const remaining = asked ?? Number.POSITIVE_INFINITY
  if (!(remaining > 0)) throw refuse('DEADLINE_EXCEEDED', 'the deadline had passed', executed)
  const input = gate.codec.decode(json, marks, line.bytes)
  const call = createAnswering(gate, id, procedure, input, options, line)
  if (Number.isFinite(remaining)) call.deadline = Date.now() + remaining
  return call
}
