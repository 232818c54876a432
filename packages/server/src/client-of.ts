import { type AnyProcedure, isProcedure, type Schema } from '@pairwire/contract'
import {
  Call,
  type Caller,
  type CallOwner,
  type CallSettings,
  type Codec,
  createDeadlines,
  createProxy,
  type Encoded,
  type Peer,
} from '@pairwire/wire'
import { checkedCaller } from './checked-caller.ts'

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
export const clientOf = (contract: unknown): ((peer: Peer, codec: Codec) => unknown) => {
  const procedures = flatten(contract)
  return (peer, codec) => {
    const deadlines = createDeadlines()
    const owner: CallOwner = { ended: (call) => deadlines.delete(call), streams() {} }
    return createProxy((path, input, settings: CallSettings = {}) => {
      let encoded: Encoded = { json: '' }
      let problem = ''
      const procedure = procedures.get(path)
      try {
        encoded = codec.encode(input)
      } catch (error) {
        problem = `was not sent: ${(error as Error).message}`
      }
      const call = new Call(owner, path, encoded, settings, settings.timeout ?? TIMEOUT)
      if (!procedure) call.end('NOT_FOUND', "is not in the client's contract")
      else if (problem) call.end('INVALID_ARGUMENT', problem)
      else if (!call.ended) {
        deadlines.add(call)
        const output = procedure.output as Schema | undefined
        call.open(peer.calls, output ? checkedCaller(call as Caller, path, output) : call)
      }
      return call
    })
  }
}
