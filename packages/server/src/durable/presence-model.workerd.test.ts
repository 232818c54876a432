import type { Tracked } from '@pairwire/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type FakeConnection, fakeConnections } from '../../test/fake-connections.ts'
import type { PresenceEvent } from '../presence-event.ts'
import type { TopicEvents } from '../topic.ts'
import { durablePresence, type Presence } from './presence.ts'

interface Person {
  readonly id: string
  readonly color: string
}
type Events = TopicEvents<PresenceEvent<Person>>

const turn = async () => {
  for (let i = 0; i < 30; i++) await null
}
const textOf = (people: Iterable<Person>) =>
  Array.from(people, ({ id, color }) => `${id}:${color}`)
    .sort()
    .join(' ')

/** A client: it knows what it was told, and nothing else, over any number of subscriptions. */
class Watcher {
  readonly #people = new Map<string, Person>()
  readonly #meaning: Map<string, string>
  #events!: Events
  lastEventId: string | undefined
  isResumed = false
  #reading: Promise<unknown> | undefined

  /** @param meaning what each id stands for, as far as anybody was told */
  constructor(presence: Presence<Person>, meaning: Map<string, string>) {
    this.#meaning = meaning
    this.subscribe(presence)
  }

  get text() {
    return textOf(this.#people.values())
  }

  subscribe(presence: Presence<Person>) {
    this.#reading = undefined
    this.#events = presence.subscribe({ lastEventId: this.lastEventId })
    this.isResumed = this.#events.cursor !== undefined
    if (this.isResumed) expect(this.#events.cursor).toBe(this.lastEventId)
  }

  /** Asks for one event, if it is not asking for one already. */
  read() {
    const events = this.#events
    this.#reading ??= events.next().then(({ done, value }) => {
      // What an earlier subscription still says is not heard.
      if (events !== this.#events || done) return
      this.#reading = undefined
      this.#take(value)
    })
  }

  leave() {
    const events = this.#events
    this.#reading = undefined
    return events.return!()
  }

  #take({ id, data }: Tracked<PresenceEvent<Person>>) {
    const known = (person: Person) => this.#people.get(person.id)
    if (data.type === 'all') {
      this.#people.clear()
      for (const person of data.members) this.#people.set(person.id, person)
    } else if (data.type === 'leave') {
      expect(known(data.member)).toEqual(data.member)
      this.#people.delete(data.member.id)
    } else {
      if (data.type === 'join') expect(known(data.member)).toBeUndefined()
      else expect(known(data.member)).not.toEqual(data.member)
      expect(known(data.member) !== undefined).toBe(data.type === 'update')
      this.#people.set(data.member.id, data.member)
    }
    this.lastEventId = id
    // One id, one set, whoever was told of it, in whichever life of the object.
    expect(this.#meaning.get(id) ?? this.text).toBe(this.text)
    this.#meaning.set(id, this.text)
  }
}

const person = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), color: fc.constantFrom('red', 'blue') })
const at = fc.nat(9)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), person }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('leave' as const), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('change' as const), at, person }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('read' as const), at }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('drain' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('subscribe' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('new' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crowd' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), gone: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy' as const) }) },
)

it('leaves every subscriber with who is there, whatever happens, and says so with its ids', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const meaning = new Map<string, string>()
      let host = fakeConnections<Person>()
      let presence!: Presence<Person>
      let connections: FakeConnection[] = []
      const watchers: Watcher[] = []
      /** The object lives again, with these sockets. */
      const live = (people: Person[]) => {
        host = fakeConnections<Person>()
        presence = durablePresence(host.ctx, (person: Person) => ({ ...person }))
        connections = people.map((person) => host.join(person))
        for (const watcher of watchers) watcher.subscribe(presence)
      }
      live([])

      for (const step of steps) {
        if (step.do === 'join') connections.push(host.join(step.person))
        else if (step.do === 'new') watchers.push(new Watcher(presence, meaning))
        else if (step.do === 'turn') await turn()
        else if (step.do === 'drain')
          for (let i = 0; i < 10; i++) {
            for (const watcher of watchers) watcher.read()
            await turn()
          }
        else if (step.do === 'deploy') live([])
        else if (step.do === 'sleep') {
          // Some leave meanwhile, which is what wakes it up.
          const people = connections.map(({ identity }) => identity as Person)
          const gone = people.splice(0, step.gone)
          live(people.reverse())
          for (const watcher of watchers) watcher.read()
          await turn()
          for (const person of gone) host.miss(person)
        } else if (step.do === 'crowd')
          for (let n = 0; n < 70; n++) {
            const guest = host.join({ id: `guest ${n}`, color: 'red' })
            await null
            await null
            guest.leave()
            await null
          }
        else if (step.do === 'leave' || step.do === 'change') {
          const connection = connections[step.at % Math.max(1, connections.length)]
          if (!connection) continue
          if (step.do === 'change') host.change(connection, step.person)
          else {
            connections = connections.filter((other) => other !== connection)
            connection.leave()
          }
        } else {
          const watcher = watchers[step.at % Math.max(1, watchers.length)]
          if (step.do === 'read') watcher?.read()
          else if (watcher) {
            await watcher.leave()
            watcher.subscribe(presence)
          }
        }
      }

      const there = new Map(
        connections
          .map(({ identity }) => identity as Person)
          .reverse()
          .map((one) => [one.id, one]),
      )
      expect(textOf(presence.list())).toBe(textOf(there.values()))
      for (let i = 0; i < 200; i++) {
        for (const watcher of watchers) watcher.read()
        if (i === 1) await scheduler.wait(1)
        await null
        await null
        await null
      }
      for (const watcher of watchers) expect(watcher.text).toBe(textOf(there.values()))
      // What each has seen says so in any later life of the object with the same connections, and nothing is sent again.
      if (watchers.length) live(connections.map(({ identity }) => identity as Person))
      for (const watcher of watchers) expect(watcher.isResumed).toBe(true)
    }),
    { numRuns: 300 },
  )
})
