export type { DeclaredErrorOptions, ErrorConstructors } from './errors.ts'
export type {
  Handler,
  HandlerCall,
  HandlerEvent,
  HandlerResult,
  Handlers,
  MaybePromise,
  Mountable,
} from './handler.ts'
export { type Implementer, implement } from './implement.ts'
export type { Invocation } from './invocation.ts'
export type { CallerOptions } from './local-call.ts'
export { type ErrorReport, mask, type OnError } from './mask.ts'
export {
  type ContextAfter,
  type Continued,
  type ContractMeta,
  defineMiddleware,
  type Middleware,
  type MiddlewareCall,
  type Next,
  type NextResult,
} from './middleware.ts'
export type { Entry } from './route.ts'
export type { AnyRouter, Router } from './router.ts'
