export { type Executed, RpcError, type RpcErrorOptions, type StandardCode } from './error'
export { Tracked, tracked } from './tracked'
