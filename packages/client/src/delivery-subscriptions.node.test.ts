import { memoryTopic } from '@pairwire/server'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../test/delivery/contract.ts'
import {
  clientKinds,
  errorOf,
  observe,
  openWorld,
  outcome,
  quiet,
  sleep,
  until,
  watchForStrayErrors,
} from '../test/delivery/world.ts'
import type { Fault } from '../test/faults/proxy.ts'
import { createRandom } from '../test/faults/random.ts'

watchForStrayErrors()

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

for (const clientKind of clientKinds)
  describe(`with the client ${clientKind}`, () => {
    /** A subscription to the topic `t` of which events 1 to 3 have come, over a socket that follows a plan from then on. */
    const setUp = async (faults?: Fault[]) => {
      const world = await openWorld()
      world.proxy.plan(({ index }) => (index ? undefined : faults))
      const client = world.client(clientKind)
      const topic = world.state.topic('t')
      const heard = observe<number>(client.events('t'))
      const publish = (from: number, to: number) => {
        for (let n = from; n <= to; n++) topic.publish(n)
      }
      return { world, client, topic, heard, publish }
    }
    const begun = async (set: Awaited<ReturnType<typeof setUp>>) => {
      await until(() => set.world.state.runs('t').length)
      set.publish(1, 3)
      await until(() => set.heard.events.length === 3)
    }

    it('a subscription that was made while there was no connection begins when there is one', async () => {
      const { world, heard, publish } = await setUp([{ at: 'up', byte: 0, action: 'cut' }])
      await until(() => world.state.runs('t').length)
      await sleep(2)
      publish(1, 3)
      await until(() => heard.events.length === 3)
      expect(heard.log).toEqual([1, 2, 3])
    })

    for (const [when, fault] of [
      ['before its first socket had said hello', { at: 'up', before: 1, action: 'cut' }],
      ['before its first socket was welcomed', { at: 'down', before: 1, action: 'cut' }],
    ] as const)
      it(`a subscription that was cut ${when} begins with the next one, and has missed nothing`, async () => {
        const { world, client, heard, publish } = await setUp([fault])
        const iterated: number[] = []
        const read = (async () => {
          for await (const n of client.some({ topic: 't', n: 3 })) iterated.push(n)
        })()
        await until(() => world.state.runs('t').length === 2)
        await client.query({ key: 'warm' })
        publish(1, 3)
        await read
        await until(() => heard.events.length === 3)
        await quiet()
        expect(heard.log).toEqual([1, 2, 3])
        expect(iterated).toEqual([1, 2, 3])
        expect(world.state.runs('t')).toHaveLength(2)
      })

    it('a subscription that was cut on its way to the server, where nobody knows how far it came, has one gap', async () => {
      const { world, client, publish } = await setUp()
      await client.query({ key: 'warm' })
      const runs = world.state.runs('u')
      world.proxy.connections[0]!.hold('up')
      const heard = observe<number>(client.events('u'))
      await sleep(5)
      world.cut()
      await until(() => runs.length)
      await client.query({ key: 'warm' })
      publish(1, 1)
      world.state.topic('u').publish(1)
      await until(() => heard.events.length === 1)
      expect(heard.log).toEqual(['gap untracked', 1])
      expect(runs).toHaveLength(1)
    })

    it('events that were published while nobody was connected come after the reconnect, once and in order', async () => {
      const set = await setUp()
      await begun(set)
      set.world.proxy.refuse = true
      set.world.cut()
      await until(() => set.world.state.runs('t')[0]!.ended)
      set.publish(4, 500)
      set.world.proxy.refuse = false
      await until(() => set.heard.events.length >= 500)
      await quiet()
      expect(set.heard.log).toEqual(upTo(500))
    })

    it('events that were sent and did not arrive come again, and those that arrived do not', async () => {
      const set = await setUp()
      await begun(set)
      const [connection] = set.world.proxy.connections
      connection!.hold('down')
      set.publish(4, 9)
      await sleep(5)
      set.world.cut()
      set.publish(10, 12)
      await until(() => set.heard.events.length >= 12)
      await quiet()
      expect(set.heard.log).toEqual(upTo(12))
    })

    it('a cut in the middle of a frame of events loses and doubles none of them', async () => {
      const set = await setUp([{ at: 'down', byte: 2_000, action: 'cut' }])
      await begun(set)
      set.publish(4, 400)
      await until(() => set.heard.events.length >= 400)
      await quiet()
      expect(set.heard.log).toEqual(upTo(400))
      expect(set.world.proxy.accepted).toBe(2)
    })

    it('before its first event a subscription has a place already, so that a cut loses none', async () => {
      const set = await setUp()
      await until(() => set.world.state.runs('t').length)
      // Its place has come by now.
      await set.client.query({ key: 'warm' })
      set.world.proxy.refuse = true
      set.world.cut()
      await until(() => set.world.state.runs('t')[0]!.ended)
      set.publish(1, 5)
      set.world.proxy.refuse = false
      await until(() => set.heard.events.length >= 5)
      expect(set.heard.log).toEqual(upTo(5))
    })

    it('an event without an id never makes a subscription forget its place', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const heard = observe<number | 'noise'>(client.noisy('t'))
      await until(() => world.state.runs('t').length)
      for (let round = 1; round <= 5; round++) {
        world.state.topic('t').publish(round)
        await until(() => heard.log.length === 2 * round)
        world.cut()
        await until(() => world.state.runs('t').length === round + 1)
      }
      expect(heard.log).toEqual([1, 'noise', 2, 'noise', 3, 'noise', 4, 'noise', 5, 'noise'])
    })

    it('a subscription that ended before its end arrived ends once', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const heard = observe<number>(client.some({ topic: 't', n: 4 }))
      await until(() => world.state.runs('t').length)
      for (const n of upTo(3)) world.state.topic('t').publish(n)
      await until(() => heard.events.length === 3)
      world.proxy.connections[0]!.hold('down')
      world.state.topic('t').publish(4)
      await until(() => world.state.runs('t')[0]!.ended)
      await sleep(2)
      world.cut()
      world.state.topic('t').publish(5)
      await until(() => heard.log.includes('done'))
      await quiet()
      expect(heard.log).toEqual([1, 2, 3, 4, 'done'])
    })

    it('a subscription without ids is run again, and its reader told of the gap once for each cut', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const heard = observe<number>(client.untracked('t'))
      await until(() => heard.log.length === 1)
      for (const cuts of upTo(3)) {
        world.cut()
        await until(() => heard.log.length === 2 * cuts + 1)
      }
      await quiet()
      expect(heard.log).toEqual([1, 'gap untracked', 2, 'gap untracked', 3, 'gap untracked', 4])
    })

    it('a subscription without ids and without onGap ends with DATA_LOSS, and is not run again', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const log: unknown[] = []
      client.untracked('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      const iterated = outcome(
        (async () => {
          for await (const n of client.untracked('u')) log.push(n + 100)
        })(),
      )
      await until(() => log.length === 2)
      world.cut()
      expect(await iterated).toEqual(['DATA_LOSS', 'unknown'])
      await until(() => log.length === 3)
      await client.query({ key: 'later' })
      expect([...log].sort()).toEqual([1, 101, 'DATA_LOSS'].sort())
      expect(world.state.runs('t')).toHaveLength(1)
      expect(world.state.runs('u')).toHaveLength(1)
    })

    it('an iterator of tracked events goes on through cuts, and notices none', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const seen: number[] = []
      const read = (async () => {
        for await (const n of client.some({ topic: 't', n: 20 })) {
          seen.push(n)
          if (n % 5 === 0) world.cut()
        }
      })()
      await until(() => world.state.runs('t').length)
      for (const n of upTo(20)) {
        world.state.topic('t').publish(n)
        await sleep(1)
      }
      await read
      expect(seen).toEqual(upTo(20))
    })

    it('a topic that was trimmed meanwhile makes exactly one gap, and events go on behind it', async () => {
      const set = await setUp()
      set.world.state.setTopic('t', memoryTopic<number>({ retain: 5 }))
      await until(() => set.world.state.runs('t').length)
      // The handler took the old topic: have it begin anew.
      set.world.cut()
      await until(() => set.world.state.runs('t').length >= 2)
      await set.client.query({ key: 'warm' })
      set.heard.log.length = 0
      const topic = set.world.state.topic('t')
      for (const n of upTo(3)) topic.publish(n)
      await until(() => set.heard.log.length === 3)
      set.world.proxy.refuse = true
      set.world.cut()
      await until(() => set.world.state.runs('t').every(({ ended }) => ended))
      for (let n = 4; n <= 20; n++) topic.publish(n)
      const runs = set.world.state.runs('t').length
      set.world.proxy.refuse = false
      // Once refused, once anew.
      await until(() => set.world.state.runs('t').length === runs + 2)
      await set.client.query({ key: 'warm' })
      topic.publish(21)
      topic.publish(22)
      await until(() => set.heard.events.includes(22))
      await quiet()
      expect(set.heard.log).toEqual([1, 2, 3, 'gap lost', 21, 22])
    })

    it('a topic of another epoch makes exactly one gap, and events go on behind it', async () => {
      const set = await setUp()
      await begun(set)
      set.world.state.setTopic('t', memoryTopic<number>())
      // As many as before, so that only their epoch tells them apart.
      for (const n of upTo(3)) set.world.state.topic('t').publish(100 + n)
      await set.world.restart()
      await until(() => set.world.state.runs('t').length === 3)
      await set.client.query({ key: 'warm' })
      set.world.state.topic('t').publish(104)
      await until(() => set.heard.events.includes(104))
      await quiet()
      expect(set.heard.log).toEqual([1, 2, 3, 'gap lost', 104])
    })

    it('a gap ends a subscription without onGap with DATA_LOSS, after all that came before it', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const log: unknown[] = []
      client.events('t').subscribe({ onData: (n) => log.push(n), onError: ({ code }) => log.push(code) })
      const seen: number[] = []
      const iterated = outcome(
        (async () => {
          for await (const n of client.events('t')) seen.push(n)
        })(),
      )
      await until(() => world.state.runs('t').length === 2)
      for (const n of upTo(3)) world.state.topic('t').publish(n)
      await until(() => seen.length === 3 && log.length === 3)
      world.state.setTopic('t', memoryTopic<number>())
      world.cut()
      expect((await iterated)[0]).toBe('DATA_LOSS')
      await until(() => log.length === 4)
      await client.query({ key: 'later' })
      expect(log).toEqual([1, 2, 3, 'DATA_LOSS'])
      expect(seen).toEqual([1, 2, 3])
    })

    it('a cursor that is ahead of the log, or garbage, is a gap, and never some of the events', async () => {
      const world = await openWorld()
      const client = world.client(clientKind)
      const topic = world.state.topic('t')
      for (const n of upTo(3)) topic.publish(n)
      const epoch = topic.cursor.slice(0, topic.cursor.lastIndexOf('.'))
      const cursors = [
        `${epoch}.4`,
        `${epoch}.-1`,
        `${epoch}.1e0`,
        `${epoch}.99999999999999999999`,
        `${epoch}.`,
        'x',
        '.',
      ]
      for (const lastEventId of [...cursors, ' ', 'x'.repeat(10_000), '\u0000', '__proto__', `${epoch}.2\n`]) {
        const call = (async () => {
          for await (const n of client.events('t', { lastEventId })) return n
        })()
        expect((await errorOf(call)).code).toBe('DATA_LOSS')
      }
      const heard = observe<number>(client.events('t', { lastEventId: `${epoch}.9` }))
      await until(() => heard.log.length === 1)
      await client.query({ key: 'warm' })
      topic.publish(4)
      await until(() => heard.events.length === 1)
      expect(heard.log).toEqual(['gap lost', 4])
    })

    it('a page that comes back with the id of the last event it read gets what came after it', async () => {
      const world = await openWorld()
      const before = world.client(clientKind)
      const subscription = before.events('t')
      const heard = observe<number>(subscription)
      await until(() => world.state.runs('t').length)
      for (const n of upTo(3)) world.state.topic('t').publish(n)
      await until(() => heard.events.length === 3)
      const { lastEventId } = subscription
      before.$connection.close()
      for (const n of [4, 5]) world.state.topic('t').publish(n)
      const after = observe<number>(world.client(clientKind).events('t', { lastEventId }))
      await until(() => after.events.length === 2)
      await quiet()
      expect(after.log).toEqual([4, 5])
    })

    it('a subscription that was left while there was no connection is not taken up again', async () => {
      const set = await setUp()
      await begun(set)
      set.world.proxy.refuse = true
      set.world.cut()
      await until(() => set.client.$connection.state === 'waiting')
      set.heard.leave()
      set.publish(4, 6)
      set.world.proxy.refuse = false
      await set.client.query({ key: 'later' })
      await quiet()
      expect(set.world.state.runs('t')).toMatchObject([{ ended: true, aborted: 'UNAVAILABLE' }])
      expect(set.heard.log).toEqual([1, 2, 3])
      expect(set.client.$connection.pending).toBe(0)
    })

    it('a reader that lags behind is resumed where it is, and gets each event once', async () => {
      const world = await openWorld()
      const client = world.client(clientKind, { window: 2_000 })
      const seen: number[] = []
      const read = (async () => {
        for await (const n of client.some({ topic: 't', n: 300 })) {
          seen.push(n)
          if (n % 10 === 0) await sleep(1)
        }
      })()
      await until(() => world.state.runs('t').length)
      for (const n of upTo(300)) world.state.topic('t').publish(n)
      for (let cuts = 0; cuts < 6; cuts++) {
        const n = seen.length
        await until(() => seen.length > n + 20 || seen.length === 300)
        world.cut()
      }
      await read
      expect(seen).toEqual(upTo(300))
    })

    it('a snapshot that is followed by what was added after it has no hole, wherever it was cut', async () => {
      const world = await openWorld()
      const random = createRandom(7)
      // Before the welcome, or among the events behind it.
      world.proxy.plan(({ index }) =>
        index
          ? [{ at: 'down', byte: random.int(random.pick([1_000, 12_000])), action: 'cut' }]
          : [{ at: 'down', byte: 1_500, action: 'cut' }],
      )
      const client = world.client(clientKind)
      let held: number[] = []
      let snapshots = 0
      const apply = ({ kind, items }: Snapshot) => {
        if (kind === 'all') {
          snapshots++
          held = items
        } else {
          // What the snapshot shows already may come again.
          const item = items[0]!
          if (!held.includes(item)) held = [...held, item]
        }
        // Never a hole on the way either.
        expect(held).toEqual(upTo(held.length))
      }
      const failures: unknown[] = []
      const watch = async () => {
        for await (const event of client.items('t')) apply(event)
      }
      watch().catch((error) => failures.push(error))
      for (const n of upTo(300)) {
        world.state.add('t', n)
        if (n % 3 === 0) await sleep(1)
      }
      await until(() => failures.length || held.length === 300)
      expect(failures.filter((error) => (error as { code?: string }).code !== 'CANCELLED')).toEqual([])
      expect(held).toEqual(upTo(300))
      expect(snapshots).toBeGreaterThan(0)
      expect(world.proxy.accepted).toBeGreaterThan(3)
      client.$connection.close()
    })
  })

describe('10,000 tracked events', () => {
  for (const clientKind of clientKinds)
    it(`come exactly once and in order, over sockets that are cut all the time, with the client ${clientKind}`, async () => {
      const world = await openWorld()
      const random = createRandom(clientKind.length)
      // Some of a handshake's length, some of many events.
      // The first has none until both subscriptions have begun: of the others some lose their handshake, some many events.
      world.proxy.plan(({ index }) => {
        if (!index) return
        const most = random.pick([300, 1_000, 20_000, 20_000])
        return [
          { at: 'down', byte: random.int(most), action: 'cut' },
          { at: 'up', byte: random.int(most), action: 'cut' },
        ]
      })
      const client = world.client(clientKind, { reconnect: { minDelay: 1, maxDelay: 4 } })
      const heard = observe<number>(client.some({ topic: 't', n: 10_000 }))
      const iterated: number[] = []
      const iterate = (async () => {
        for await (const n of client.some({ topic: 'u', n: 10_000 })) iterated.push(n)
      })()
      await until(() => world.state.runs('t').length && world.state.runs('u').length)
      for (const n of upTo(10_000)) {
        world.state.topic('t').publish(n)
        world.state.topic('u').publish(n)
        if (n === 100) world.cut()
        if (n % 50 === 0) await sleep(0)
      }
      await iterate
      await until(() => heard.log.at(-1) === 'done')
      expect(heard.events).toHaveLength(10_000)
      expect(heard.log).toEqual([...upTo(10_000), 'done'])
      expect(iterated).toEqual(upTo(10_000))
      expect(world.proxy.accepted).toBeGreaterThan(50)
      expect(client.$connection.pending).toBe(0)
    })
})

describe('what a subscription with an input stream does when it is cut', () => {
  it('is to end with an error: what was sent along is lost', async () => {
    const world = await openWorld()
    const client = world.client()
    const log: unknown[] = []
    async function* lines() {
      yield 'a'
      await new Promise(() => {})
    }
    const read = outcome(
      (async () => {
        for await (const line of client.talk('t', { stream: lines() })) log.push(line)
      })(),
    )
    await until(() => log.length === 1)
    world.cut()
    const [code] = await read
    expect(['UNAVAILABLE', 'DATA_LOSS']).toContain(code)
    expect(log).toEqual(['A'])
    expect(world.state.runs('t')).toHaveLength(1)
  })
})

describe('a callback that is slow', () => {
  it('is still run one event at a time, in order, when the connection is cut under it', async () => {
    const world = await openWorld()
    const client = world.client()
    const log: string[] = []
    client.events('t').subscribe({
      onError() {},
      async onData(n) {
        log.push(`+${n}`)
        await sleep(2)
        log.push(`-${n}`)
      },
    })
    await until(() => world.state.runs('t').length)
    for (const n of upTo(30)) {
      world.state.topic('t').publish(n)
      if (n % 10 === 0) {
        await sleep(5)
        world.cut()
      }
    }
    await until(() => log.length === 60)
    expect(log).toEqual(upTo(30).flatMap((n) => [`+${n}`, `-${n}`]))
  })
})
