import { type AnyProcedure, isProcedure, type Schema } from '@pairwire/contract'
import { Call, type CallOwner, type CallSettings, createDeadlines, createProxy } from '@pairwire/wire'
import { checkedCaller } from './checked-caller.ts'
import type { ClientSession } from './session.ts'

/** Milliseconds that a call to a client may take if it says nothing else; as many as a client's own calls have. */
const TIMEOUT = 30_000

/** The procedures of a contract by their paths, so that no path walks an object. */
const flatten = (tree: unknown, prefix = '', found = new Map<string, AnyProcedure>()): Map<string, AnyProcedure> => {
  for (const [name, node] of Object.entries(tree as object)) {
    if (isProcedure(node)) found.set(prefix + name, node)
    else flatten(node, `${prefix}${name}.`, found)
  }
  return found
}

/** Makes what handlers know as `client`: calls to the procedures of one connected client. */
export const clientOf = (contract: unknown): ((session: ClientSession) => unknown) => {
  const procedures = flatten(contract)
  return (session) => {
    const { codec } = session
    const deadlines = createDeadlines()
    const owner: CallOwner = {
      ended: (call) => deadlines.delete(call),
      // Its timer would keep a Durable Object awake.
      streams: (call) => call.deadline || deadlines.delete(call),
    }
    return createProxy((path, input, settings: CallSettings | undefined) => {
      const procedure = procedures.get(path)
      const { peer } = session
      const call = new Call(owner, codec, path, input, settings, TIMEOUT)
      if (codec.name === 'json')
        call.end('UNIMPLEMENTED', 'cannot be called: the client speaks plain JSON, and answers no calls')
      else if (!peer) call.end('UNAVAILABLE', 'cannot be called: the client is gone')
      else if (!procedure) call.end('NOT_FOUND', "is not in the client's contract")
      else if (!call.ended) {
        const output = procedure.output as Schema | undefined
        deadlines.add(call)
        session.lastCallId += 2
        call.id = session.lastCallId
        call.open(peer, checkedCaller(call, output))
      }
      return call
    })
  }
}
