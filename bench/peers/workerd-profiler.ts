import WebSocket from 'ws'

/** Profiles a Worker, over workerd's inspector. */
export const profileWorker = async (inspector: string) => {
  const socket = new WebSocket(new URL('/bench', inspector))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let id = 0
  socket.on('message', (data) => {
    const { id, result, error } = JSON.parse(`${data}`)
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error) asked?.reject(new Error(error.message))
    else asked?.resolve(result)
  })
  const post = (method: string, params = {}) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(++id, { resolve, reject })
      socket.send(JSON.stringify({ id, method, params }))
    })
  await post('Profiler.enable')
  await post('Profiler.setSamplingInterval', { interval: 200 })
  await post('Profiler.start')
  return {
    async stop(): Promise<Profile> {
      const { profile } = (await post('Profiler.stop')) as { profile: Profile }
      socket.close()
      return profile
    },
  }
}

/** A .cpuprofile, as far as it is read here. */
export interface Profile {
  nodes: {
    id: number
    callFrame: { functionName: string; url: string; lineNumber: number }
    children?: number[]
  }[]
  samples: number[]
  timeDeltas: number[]
}
