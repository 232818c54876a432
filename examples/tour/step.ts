import type { Visit } from './visit.ts'

/** One thing the tour shows. */
export interface Step {
  /** The kind of procedure, or what of a call it shows. */
  readonly kind: string
  /** Does it, asserts what came of it, and returns that in words. */
  show(visit: Visit): Promise<string>
}
