import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes of memory in use, without garbage. */
export const heap = async (): Promise<number> => {
  for (let round = 0; round < 3; round++) {
    collect()
    await sleep(10)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Names of what keeps this process from ending, but for its standard streams and the channel to its parent or child. */
export const handles = (): string[] => {
  const own = new Set(['PipeWrap', 'TTYWrap', 'ProcessWrap', 'FSReqPromise', 'CloseReq', 'Immediate'])
  return process.getActiveResourcesInfo().filter((name) => !own.has(name))
}
