import { Session } from 'node:inspector/promises'

/** Profiles its own process. */
export const createProfiler = () => {
  const session = new Session()
  return {
    async start(): Promise<void> {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: 200 })
      await session.post('Profiler.start')
    },
    /** As the text of a .cpuprofile. */
    async stop(): Promise<string> {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return JSON.stringify(profile)
    },
  }
}
