import { RpcError } from '@pairwire/contract'
import { type Callable, type Callee, report } from '@pairwire/wire'

/** As much of a router as answering the server's calls needs; `@pairwire/router` makes one. */
export interface ClientRouter {
  find(path: string): Callable | undefined
  // biome-ignore lint/suspicious/noExplicitAny: a router's own types for an entry and a call are not this package's
  run(entry: any, call: any): unknown
}

/** Answers by a router. There is no context on this side but what the handlers close over. */
export const routerCallee = (router: ClientRouter | undefined): Callee => ({
  find(path) {
    if (!router) throw new RpcError('UNIMPLEMENTED', 'this client has no router', { executed: 'no' })
    return router.find(path)
  },
  run: (procedure, call) => router!.run(procedure, Object.assign(call, { ctx: {} })),
  mask(error) {
    report(error)
    return new RpcError('INTERNAL', 'internal error')
  },
})
