import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where browsers find the suites' servers: on Node, and in workerd. */
    nodeUrl: string
    workerdUrl: string
  }
}
