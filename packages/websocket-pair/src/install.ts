import { WebSocketPair } from './pair.ts'

/**
 * Sets `globalThis.WebSocketPair` where the platform has none, so that code written for Workers runs unchanged.
 *
 * @returns true when it was set, false when there was one already: workerd's own is never replaced
 */
export function install(): boolean {
  if ('WebSocketPair' in globalThis) return false
  Object.defineProperty(globalThis, 'WebSocketPair', {
    value: WebSocketPair,
    configurable: true,
    enumerable: false,
    writable: true,
  })
  return true
}
