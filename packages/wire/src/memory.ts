import type { Line, Packed } from './line.ts'
import type { WireOptions } from './messages.ts'

/** What is remembered of the mutations of one caller, who may have lost the socket before it heard of them. */
export interface Memory {
  /** By which a caller names it: a call that was sent to another one may have been taken there. */
  readonly epoch: string
  /** Whether a call of this id may have been taken, and is no longer remembered. */
  forgot(id: number): boolean
  /** How a call has ended. */
  recall(id: number): Packed | undefined
  /** A call has ended; `line` is where its caller is told, if there is one at present. */
  keep(id: number, answer: Packed, line: Line | undefined): void
  /** The caller has got what was sent on this line before it was asked. */
  confirm(line: Line): void
}

/** Whether a call may have been taken before, by an end whose memory of it is gone. */
export const isResent = (memory: Memory | undefined, id: number, { attempt, epoch }: WireOptions): boolean =>
  !!memory?.forgot(id) || ((attempt as number) > 1 && epoch !== memory?.epoch)
