/** What an object has done since it was last asked. */
export interface Counts {
  /** Rows, as Cloudflare bills them. */
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Frames: those that came, which are billed, and those that were sent, which are not. */
  readonly framesIn: number
  readonly framesOut: number
  /** Times that an attachment was written. */
  readonly attachments: number
  /** Times that the object was made. */
  readonly lives: number
  /** Microseconds of the last wake-up: until subscriptions run again, and until all is quiet. */
  readonly restored: number
  readonly settled: number
}
