import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../packages/client/test/faults/random.ts'
import type { SoakClient } from './client.ts'
import type { Tick } from './contract.ts'

/** What all readers were given. */
export interface Readings {
  tracked: number
  untracked: number
  /** Events that did not come, with nothing said. */
  lost: number
  doubled: number
  /** Places where events are missing and a gap was told. */
  gaps: number
  /** Places where a gap was told and none is. */
  falseGaps: number
  problems: string[]
}

export const createReadings = (): Readings => ({
  tracked: 0,
  untracked: 0,
  lost: 0,
  doubled: 0,
  gaps: 0,
  falseGaps: 0,
  problems: [],
})

export interface Reader {
  /** Whether it has all there will be: the topic's last event, or word of a gap behind which there may be none. */
  hasAll(last: number): boolean
  stop(): void
}

/** Holds the numbers of one reader's events against each other. */
const follow = (readings: Readings) => {
  let last = 0
  let told = false
  return {
    get last() {
      return last
    },
    get told() {
      return told
    },
    /** The next number, and whether what is missing before it had to be told. */
    take(n: number) {
      if (n <= last) readings.doubled++
      if (n > last + 1 && !told) readings.lost += n - last - 1
      if (n > last + 1 && told) readings.gaps++
      if (n === last + 1 && told) readings.falseGaps++
      told = false
      last = n
    },
    gap() {
      told = true
    },
  }
}

const problem = (readings: Readings, of: string) => (error: unknown) => readings.problems.push(`${of}: ${error}`)

/** Everything, by callbacks; some take their time. */
export const subscriber = (client: SoakClient, readings: Readings, from: string, ms: number): Reader => {
  const events = follow(readings)
  const stop = client.steady(undefined, { lastEventId: from }).subscribe({
    onData({ n }) {
      readings.tracked++
      events.take(n)
      return ms ? sleep(ms) : undefined
    },
    onGap: events.gap,
    onError: problem(readings, 'subscriber'),
  })
  return { hasAll: (last) => events.last === last, stop }
}

/** Everything, in a loop: which cannot be told of a gap, and fails where there is one. */
export const iterator = (client: SoakClient, readings: Readings, from: string): Reader => {
  const events = follow(readings)
  const read = async () => {
    for await (const { n, last } of client.steady(undefined, { lastEventId: from })) {
      readings.tracked++
      events.take(n)
      if (last) break
    }
  }
  read().catch(problem(readings, 'iterator'))
  return { hasAll: (last) => events.last === last, stop() {} }
}

/** Everything, in many subscriptions: each begins behind what the one before has read, as a page does that is loaded again. */
export const reloader = (client: SoakClient, readings: Readings, from: string, random: Random): Reader => {
  const events = follow(readings)
  const read = async () => {
    let lastEventId: string | undefined = from
    for (let event: Tick | undefined; !event?.last; ) {
      const subscription = client.steady(undefined, { lastEventId })
      let left = 1 + random.int(50)
      for await (event of subscription) {
        readings.tracked++
        events.take(event.n)
        if (event.last || !--left) break
      }
      lastEventId = subscription.lastEventId
    }
  }
  read().catch(problem(readings, 'reloader'))
  return { hasAll: (last) => events.last === last, stop() {} }
}

/** What a topic has that keeps little: all of it, or word of what is missing. */
export const latecomer = (client: SoakClient, readings: Readings, from: string): Reader => {
  const events = follow(readings)
  const stop = client.short(undefined, { lastEventId: from }).subscribe({
    onData({ n }) {
      readings.tracked++
      events.take(n)
    },
    onGap: events.gap,
    onError: problem(readings, 'latecomer'),
  })
  return { hasAll: (last) => events.last === last || events.told, stop }
}

/** Events without ids: each run of the handler from its first event on, and word of each change from one run to the next. */
export const listener = (client: SoakClient, readings: Readings, reader: number): Reader => {
  let events = follow(readings)
  let current = 0
  let told = false
  const stop = client.untracked({ reader }).subscribe({
    onData({ run, n }) {
      readings.untracked++
      if (run < current) readings.doubled++
      if (run > current) {
        if (current && !told) readings.problems.push(`untracked: run ${run} after ${current}, and no gap told`)
        if (current && told) readings.gaps++
        events = follow(readings)
        told = false
      }
      if (told) readings.falseGaps++
      told = false
      current = run
      events.take(n)
    },
    onGap({ reason }) {
      told = true
      if (reason !== 'untracked') readings.problems.push(`untracked: a gap for the reason '${reason}'`)
    },
    onError: problem(readings, 'untracked'),
  })
  return { hasAll: () => true, stop }
}
