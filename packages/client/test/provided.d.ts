import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where browsers find the suites' servers: on Node, and in workerd. */
    nodeUrl: string
    workerdUrl: string
    /** Where a page says, over HTTP, what is to become of its connections. */
    deliveryUrl: string
  }
}
