import { createQuiet, type Quiet } from '@pairwire/wire'

/** The quiet that one socket waits for, which need not be waited for while a frame of that socket is handled. */
export interface FrameQuiet extends Quiet {
  /** Handles a frame. Returns true where all of it was answered in its turn: what has gathered goes at once then. */
  during(frame: () => boolean): void
}

/** @param shared what the sockets of a server wait for together, where they may */
export const createFrameQuiet = (shared: Quiet = createQuiet()): FrameQuiet => {
  let isHeld = false
  let waiting: (() => void) | undefined
  return {
    stir: shared.stir,
    wait(flush) {
      if (isHeld) waiting = flush
      else shared.wait(flush)
    },
    during(frame) {
      isHeld = true
      let isAll = false
      try {
        isAll = frame()
      } finally {
        isHeld = false
        const flush = waiting
        waiting = undefined
        if (flush) isAll ? flush() : shared.wait(flush)
      }
    },
  }
}
