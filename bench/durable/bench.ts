import { setTimeout as sleep } from 'node:timers/promises'
import { type Served, serve } from '../../packages/server/test/platform/serve.ts'
import type { Counts } from './counts.ts'

/** A worker with the objects that are measured. */
export interface Bench extends Served {
  /** What was counted since this was asked last. */
  counts(): Promise<Counts>
  until(isSo: () => boolean | Promise<boolean>): Promise<void>
}

export const start = async (): Promise<Bench> => {
  const served = await serve({
    main: new URL('worker/main.ts', import.meta.url),
    objects: { ROOM: 'Room', COUNTED: 'CountedRoom', BARE: 'Bare' },
  })
  return {
    ...served,
    counts: async () => (await fetch(`${served.http}/counts`)).json() as Promise<Counts>,
    async until(isSo) {
      for (let tries = 200; tries-- && !(await isSo()); ) await sleep(50)
    },
  }
}
