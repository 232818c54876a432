import { platform } from './platform.ts'

/** Says on the console what a listener threw and nobody heard. workerd logs it too, and goes on. */
export function report(error: unknown): void {
  platform.console.error('Uncaught exception in a WebSocket listener:', error)
}
