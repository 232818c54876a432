import type { Tracked } from '@pairwire/contract'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type FakeConnection, fakeConnections } from '../../test/fake-connections.ts'
import type { PresenceEvent } from '../presence-event.ts'
import type { TopicEvents } from '../topic.ts'
import { durablePresence, type PresenceSubscription } from './presence.ts'

interface User {
  readonly name: string
  readonly color?: string
  readonly hidden?: boolean
}
interface Person {
  readonly id: string
  readonly color?: string | undefined
}
type Event = PresenceEvent<Person>

const show = ({ name, color, hidden }: User): Person | undefined => (hidden ? undefined : { id: name, color })
const fresh = (names: readonly string[] = []) => {
  const connections = fakeConnections<User>()
  const presence = durablePresence(connections.ctx, show)
  const join = (name: string, more: Omit<User, 'name'> = {}) => connections.join({ name, ...more })
  const joined: Partial<Record<string, FakeConnection>> = Object.fromEntries(names.map((name) => [name, join(name)]))
  return { ...connections, presence, join, joined }
}

/** An event in few words. */
const brief = (event: Event): string => {
  const write = ({ id, color }: Person) => (color ? `${id}:${color}` : id)
  return event.type === 'all'
    ? `all ${event.members.map(write).join(' ')}`.trim()
    : `${event.type} ${write(event.member)}`
}

/** Lets all happen that nobody has to wait for. */
const turn = async () => {
  for (let i = 0; i < 300; i++) await null
}

/** Reads on and on, as a client with a fast socket. */
const reader = (events: TopicEvents<Event>) => {
  const got: Tracked<Event>[] = []
  const reading = (async () => {
    for await (const event of events) got.push(event)
  })()
  return {
    got,
    reading,
    /** What has come since it was last asked. */
    async news() {
      await turn()
      return got.splice(0).map(({ data }) => brief(data))
    },
  }
}
const next = async (events: TopicEvents<Event>) => (await events.next()).value!
const lastId = async (events: TopicEvents<Event>, count = 1) => {
  let id = ''
  while (count--) id = (await next(events)).id
  return id
}
/** What a subscriber gets at once. */
const gets = async (events: TopicEvents<Event>) => {
  const { news, got } = reader(events)
  await turn()
  if (!got.length) await scheduler.wait(2)
  return news()
}

afterEach(() => vi.useRealTimers())

describe('who is there', () => {
  it('is each member once, in the order in which they came', () => {
    const { presence, join, leave, joined } = fresh(['ann', 'bob', 'cid'])
    expect(presence.list()).toEqual([{ id: 'ann' }, { id: 'bob' }, { id: 'cid' }])
    const again = join('ann')
    leave(joined.ann!)
    join('dot', { hidden: true })
    expect(presence.list()).toEqual([{ id: 'ann' }, { id: 'bob' }, { id: 'cid' }])
    leave(again)
    expect(presence.list()).toEqual([{ id: 'bob' }, { id: 'cid' }])
  })

  it('is the caller’s own array', () => {
    const { presence } = fresh(['ann'])
    presence.list().pop()
    expect(presence.list()).toEqual([{ id: 'ann' }])
  })

  it('is asked for where nobody can connect: an error that says what to do', () => {
    const presence = durablePresence({} as DurableObjectState, show)
    expect(() => presence.list()).toThrow(/RpcDurableObject/)
    expect(() => presence.subscribe()).toThrow(/RpcDurableObject/)
  })

  it('is not asked of the sockets before somebody wants to know', async () => {
    const describe = vi.fn(show)
    const connections = fakeConnections<User>()
    const presence = durablePresence(connections.ctx, describe)
    connections.join({ name: 'ann' })
    await turn()
    expect(describe).not.toHaveBeenCalled()
    presence.list()
    presence.list()
    connections.join({ name: 'bob' })
    presence.list()
    expect(describe.mock.calls).toEqual([[{ name: 'ann' }], [{ name: 'bob' }]])
  })
})

describe('a subscriber', () => {
  it('gets everyone, and then who comes and goes', async () => {
    const { presence, join, leave, joined } = fresh(['ann'])
    const { news, got } = reader(presence.subscribe())
    expect(await news()).toEqual(['all ann'])
    const bob = join('bob', { color: 'red' })
    expect(await news()).toEqual(['join bob:red'])
    leave(joined.ann!)
    expect(await news()).toEqual(['leave ann'])
    leave(bob)
    expect([await news(), got]).toEqual([['leave bob:red'], []])
  })

  it('gets an empty list where nobody is', async () => {
    expect(await gets(fresh().presence.subscribe())).toEqual(['all'])
  })

  it('is told of a member, not of a tab', async () => {
    const { presence, join, leave } = fresh()
    const { news } = reader(presence.subscribe())
    expect(await news()).toEqual(['all'])
    const tabs = [join('ann'), join('ann')] as const
    expect(await news()).toEqual(['join ann'])
    leave(tabs[0])
    expect(await news()).toEqual([])
    leave(tabs[1])
    expect(await news()).toEqual(['leave ann'])
  })

  it('is told that a member is shown as something else', async () => {
    const { presence, join, leave, change } = fresh()
    const { news } = reader(presence.subscribe())
    expect(await news()).toEqual(['all'])
    const [first, second] = [join('ann', { color: 'red' }), join('ann', { color: 'blue' })]
    expect(await news()).toEqual(['join ann:red'])
    leave(first)
    expect(await news()).toEqual(['update ann:blue'])
    change(second, { name: 'ann', color: 'green' })
    expect(await news()).toEqual(['update ann:green'])
    change(second, { name: 'ann', color: 'green' })
    expect(await news()).toEqual([])
    change(second, { name: 'ann', hidden: true })
    expect(await news()).toEqual(['leave ann:green'])
    change(second, { name: 'bob' })
    expect(await news()).toEqual(['join bob'])
    change(second, { name: 'cid' })
    expect(await news()).toEqual(['leave bob', 'join cid'])
  })

  it('hears of what happens in a turn as one, and not of what is undone in it', async () => {
    const { presence, join, leave, change, joined } = fresh(['ann', 'bob'])
    const { news } = reader(presence.subscribe())
    await news()
    leave(join('cid'))
    leave(joined.ann!)
    join('ann')
    change(joined.bob!, { name: 'bob', color: 'red' })
    change(joined.bob!, { name: 'bob' })
    expect(await news()).toEqual([])
    const dot = join('dot')
    change(dot, { name: 'dot', color: 'red' })
    leave(joined.bob!)
    expect(await news()).toEqual(['leave bob', 'join dot:red'])
  })

  it('who does not read gets what is different when he does', async () => {
    const { presence, join, leave, joined } = fresh(['ann', 'bob'])
    const events = presence.subscribe()
    await next(events)
    for (let n = 0; n < 500; n++) {
      leave(join(`guest ${n}`))
      await turn()
    }
    leave(joined.ann!)
    join('cid')
    expect(await gets(events)).toEqual(['leave ann', 'join cid'])
  })

  it('who reads slowly beside others gets each change, or everyone where that is shorter', async () => {
    const { presence, join } = fresh(['ann'])
    reader(presence.subscribe())
    const [slow, slower] = [presence.subscribe(), presence.subscribe()]
    await Promise.all([next(slow), next(slower)])
    const passBy = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const guest = join(`guest ${n}`)
        await turn()
        guest.leave()
        await turn()
      }
    }
    await passBy(30)
    join('bob')
    const changes = await gets(slow)
    expect([changes.length, changes[0], changes[59], changes[60]]).toEqual([
      61,
      'join guest 0',
      'leave guest 29',
      'join bob',
    ])
    await passBy(30)
    expect(await gets(slower)).toEqual(['all ann bob'])
  })

  it('gets the same object as every other, made ready to be encoded once', async () => {
    const { presence, join } = fresh(['ann'])
    const all = await Promise.all([1, 2, 3].map(() => next(presence.subscribe())))
    expect(new Set(all).size).toBe(1)
    expect(all[0]!.isShared).toBe(true)
    const readers = [1, 2, 3].map(() => presence.subscribe())
    await Promise.all(readers.map(next))
    const coming = readers.map(next)
    join('bob')
    const joins = await Promise.all(coming)
    expect([new Set(joins).size, joins[0]!.isShared]).toEqual([1, true])
  })

  it('may ask for more than one event at once', async () => {
    const { presence, join } = fresh()
    const events = presence.subscribe()
    const asked = [next(events), next(events), next(events)]
    join('ann')
    join('bob')
    expect((await Promise.all(asked)).map(({ data }) => brief(data))).toEqual(['all', 'join ann', 'join bob'])
  })
})

describe('a subscriber who comes back', () => {
  /** One of several objects of the same class that wake up with the same sockets. */
  const again = (names: readonly string[], from: PresenceSubscription) => fresh(names).presence.subscribe(from)

  it('gets nothing where the same members are there: also after a sleep or a deploy, in whatever order', async () => {
    const { presence, join, leave } = fresh(['ann', 'bob', 'cid'])
    const lastEventId = await lastId(presence.subscribe())
    for (const events of [presence.subscribe({ lastEventId }), again(['cid', 'ann', 'bob', 'ann'], { lastEventId })]) {
      expect(events.cursor).toBe(lastEventId)
      expect(await gets(events)).toEqual([])
    }
    leave(join('dot'))
    expect(await gets(presence.subscribe({ lastEventId }))).toEqual([])
  })

  it('gets the id that stands for the members after each event', async () => {
    const { presence, join, leave } = fresh(['ann'])
    const { got, news } = reader(presence.subscribe())
    await news()
    const bob = join('bob')
    join('cid', { color: 'red' })
    await turn()
    leave(bob)
    await turn()
    expect(got.map(({ data }) => brief(data))).toEqual(['join bob', 'join cid:red', 'leave bob'])
    for (const [i, names] of [
      ['ann', 'bob'],
      ['ann', 'bob', 'cid'],
      ['ann', 'cid'],
    ].entries()) {
      const other = fresh()
      for (const name of names) other.join(name, name === 'cid' ? { color: 'red' } : {})
      expect(other.presence.subscribe({ lastEventId: got[i]!.id }).cursor).toBe(got[i]!.id)
    }
  })

  it('gets everyone where others are there, after a sleep or a deploy', async () => {
    const lastEventId = await lastId(fresh(['ann', 'bob']).presence.subscribe())
    for (const names of [[], ['ann'], ['ann', 'bob', 'cid'], ['ann', 'cid']]) {
      const events = again(names, { lastEventId })
      expect(events.cursor).toBeUndefined()
      expect(await gets(events)).toEqual([`all ${names.join(' ')}`.trim()])
    }
  })

  it('gets everyone where one is shown as something else', async () => {
    const lastEventId = await lastId(fresh(['ann']).presence.subscribe())
    const other = fresh()
    other.join('ann', { color: 'red' })
    expect(await gets(other.presence.subscribe({ lastEventId }))).toEqual(['all ann:red'])
  })

  it('gets only what has changed, where the object was awake', async () => {
    const { presence, join, joined, leave } = fresh(['ann', 'bob'])
    const { news } = reader(presence.subscribe())
    const lastEventId = await lastId(presence.subscribe())
    await news()
    leave(joined.ann!)
    await turn()
    join('cid')
    await turn()
    const events = presence.subscribe({ lastEventId })
    expect([events.cursor, await gets(events)]).toEqual([lastEventId, ['leave ann', 'join cid']])
  })

  it('gets no more than what is different, where the members were the same more than once', async () => {
    const { presence, join, leave } = fresh(['ann'])
    const { got } = reader(presence.subscribe())
    let bob = join('bob')
    for (let n = 0; n < 3; n++) {
      leave(bob)
      await turn()
      bob = join('bob')
      await turn()
    }
    const [, , first, second] = got
    expect([first, second].map((event) => brief(event!.data))).toEqual(['leave bob', 'join bob'])
    expect(await gets(presence.subscribe({ lastEventId: first!.id }))).toEqual(['join bob'])
    expect(await gets(presence.subscribe({ lastEventId: second!.id }))).toEqual([])
    join('cid')
    await turn()
    expect(await gets(presence.subscribe({ lastEventId: second!.id }))).toEqual(['join cid'])
    leave(bob)
    presence.list()
    join('bob')
    expect(await gets(presence.subscribe({ lastEventId: got.at(-1)!.id }))).toEqual([])
  })

  it('gets everyone where more has changed than is kept, and each change where just as much has', async () => {
    const { presence, join, leave } = fresh(['ann'])
    const { got } = reader(presence.subscribe())
    const slow = [presence.subscribe(), presence.subscribe()] as const
    await Promise.all(slow.map(next))
    const guests: FakeConnection[] = []
    for (let n = 0; n < 70; n++) {
      await turn()
      guests.push(join(`guest ${n}`))
    }
    // They read what they may miss, and stop.
    await turn()
    await Promise.all(slow.map((events) => lastId(events, 70)))
    for (const [n, guest] of guests.entries()) {
      if (n < 69) leave(guest)
      await turn()
      if (n < 4) await next(slow[0])
      if (n < 5) await next(slow[1])
    }
    const ids = got.map(({ id }) => id).slice(1)
    const last = got.map(({ data }) => brief(data)).slice(-64)
    expect([ids.length, last[0], last[63]]).toEqual([139, 'leave guest 5', 'leave guest 68'])
    expect(await gets(slow[0])).toEqual(['all ann guest 69'])
    expect(await gets(slow[1])).toEqual(last)
    expect(await gets(presence.subscribe({ lastEventId: ids[73]! }))).toEqual(['all ann guest 69'])
    expect(await gets(presence.subscribe({ lastEventId: ids[74]! }))).toEqual(last)
    expect(await gets(presence.subscribe({ lastEventId: ids[75]! }))).toEqual(last.slice(1))
  })

  it('gets what happens from when it subscribed on, also where it reads later', async () => {
    const { presence, join } = fresh(['ann'])
    const lastEventId = await lastId(presence.subscribe())
    const events = presence.subscribe({ lastEventId })
    join('bob')
    await turn()
    expect(await gets(events)).toEqual(['join bob'])
  })

  it.each(['', 'x', '1.0', 'epoch.3', '0.00000000000000000000000000000000x'])(
    'gets everyone for an id that is none: %j',
    async (lastEventId) => {
      const events = again(['ann'], { lastEventId })
      expect([events.cursor, await gets(events)]).toEqual([undefined, ['all ann']])
    },
  )
})

describe('a subscriber who wakes up', () => {
  /** An object that wakes up with these, and one who was told something before that. */
  const wake = async (before: readonly string[], now: readonly string[], awake?: Promise<unknown>) => {
    const lastEventId = await lastId(fresh(before).presence.subscribe())
    const connections = fakeConnections<User>({ awake })
    const presence = durablePresence(connections.ctx, show)
    for (const name of now) connections.join({ name })
    return { ...connections, presence, lastEventId, ...reader(presence.subscribe({ lastEventId })) }
  }

  it('is told who left, not everyone, where the object is woken by those who leave', async () => {
    const { miss, news, got, presence } = await wake(['ann', 'bob', 'cid', 'dot'], ['ann'])
    for (const name of ['dot', 'bob']) miss({ name })
    expect(await news()).toEqual([])
    miss({ name: 'cid' })
    await turn()
    const ids = got.map(({ id }) => id)
    expect(await news()).toEqual(['leave cid', 'leave bob', 'leave dot'])
    const left = ['ann', 'bob', 'dot', 'cid']
    for (const id of ids) {
      left.pop()
      expect(id).toBe(
        await lastId(
          fresh(
            left.length === 3 ? ['ann', 'bob', 'dot'] : left.length === 2 ? ['ann', 'dot'] : ['ann'],
          ).presence.subscribe(),
        ),
      )
    }
    await scheduler.wait(2)
    expect(await gets(presence.subscribe({ lastEventId: ids[0]! }))).toEqual(['leave bob', 'leave dot'])
    expect(await news()).toEqual([])
  })

  it('is told who left before who came', async () => {
    const { miss, join, news } = await wake(['ann', 'bob'], ['ann'])
    join({ name: 'cid' })
    await turn()
    miss({ name: 'bob' })
    expect(await news()).toEqual(['leave bob', 'join cid'])
  })

  it('is told of everyone where that does not say what was before', async () => {
    for (const missed of [[], ['dot'], ['ann'], ['bob', 'dot']]) {
      const { miss, news } = await wake(['ann', 'bob', 'cid'], ['ann', 'cid'])
      for (const name of missed) if (name !== 'bob') miss({ name })
      expect(await news()).toEqual([])
      await scheduler.wait(2)
      expect(await news()).toEqual(['all ann cid'])
      miss({ name: 'bob' })
      expect(await news()).toEqual([])
    }
  })

  it('later than others may still be told who left', async () => {
    const { miss, lastEventId, presence } = await wake(['ann', 'bob'], ['ann'])
    await scheduler.wait(2)
    miss({ name: 'bob' })
    expect(await gets(presence.subscribe({ lastEventId }))).toEqual(['leave bob'])
  })

  it('is told of everyone where too much has happened before it is known who left', async () => {
    const { miss, join, news } = await wake(['ann', 'bob'], ['ann'])
    join({ name: 'cid' })
    for (let n = 0; n < 100; n++) {
      const guest = join({ name: `guest ${n}` })
      await turn()
      guest.leave()
      await turn()
    }
    miss({ name: 'bob' })
    expect(await news()).toEqual([])
    await scheduler.wait(2)
    expect(await news()).toEqual(['all ann cid'])
  })

  it('waits until all are awake', async () => {
    let settle!: () => void
    const { miss, news } = await wake(
      ['ann', 'bob'],
      ['ann'],
      new Promise<void>((resolve) => {
        settle = resolve
      }),
    )
    await scheduler.wait(5)
    expect(await news()).toEqual([])
    settle()
    await turn()
    miss({ name: 'bob' })
    expect(await news()).toEqual(['leave bob'])
  })

  it('is not told twice of a member with two connections', async () => {
    const { miss, news } = await wake(['ann', 'bob'], ['ann'])
    miss({ name: 'ann' })
    miss({ name: 'bob' })
    expect(await news()).toEqual(['leave bob'])
    miss({ name: 'bob' })
    await scheduler.wait(2)
    expect(await news()).toEqual([])
  })
})

describe('a subscriber who leaves', () => {
  it.each(['return', 'signal'])('leaves nothing behind: %s', async (how) => {
    const { presence, join } = fresh(['ann'])
    const controller = new AbortController()
    const [added, removed] = [
      vi.spyOn(controller.signal, 'addEventListener'),
      vi.spyOn(controller.signal, 'removeEventListener'),
    ]
    const events = presence.subscribe({ signal: controller.signal })
    const { reading, news } = reader(events)
    expect(await news()).toEqual(['all ann'])
    if (how === 'return') await events.return!()
    else controller.abort()
    await reading
    join('bob')
    expect(await news()).toEqual([])
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 1])
  })

  it('has nobody asked who is there', async () => {
    const describe = vi.fn(show)
    const connections = fakeConnections<User>()
    const presence = durablePresence(connections.ctx, describe)
    const events = presence.subscribe()
    const { news } = reader(events)
    connections.join({ name: 'ann' })
    await news()
    await events.return!()
    connections.join({ name: 'bob' })
    await news()
    expect(describe).toHaveBeenCalledTimes(1)
  })

  it('before it began gets nothing', async () => {
    const { presence } = fresh(['ann'])
    const events = presence.subscribe({ signal: AbortSignal.abort() })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    const left = presence.subscribe()
    await left.return!()
    expect(await left.next()).toEqual({ done: true, value: undefined })
  })
})

describe('an identity that cannot be shown', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no name')
      },
      'no name',
    ],
    ['has no id', () => ({ id: 1 }) as never, 'id'],
    ['is null', () => null as never, 'id'],
    ['is no data', () => ({ id: 'x', f: () => {} }), 'no plain data'],
  ] as const)('is reported, once, and hides nobody else: %s', async (_, fail, message) => {
    const onError = vi.fn()
    const connections = fakeConnections<User>({ onError })
    const presence = durablePresence(connections.ctx, (user: User) => (user.name === 'bad' ? fail() : show(user)))
    for (const name of ['ann', 'bad', 'bob']) connections.join({ name })
    const { news } = reader(presence.subscribe())
    expect(await news()).toEqual(['all ann bob'])
    connections.join({ name: 'cid' })
    expect(await news()).toEqual(['join cid'])
    expect(onError.mock.calls.map(([{ error, path }]) => [path, error.message])).toEqual([
      ['presence', expect.stringContaining(message)],
    ])
  })
})

describe('somebody who is silent', () => {
  it('is looked for before somebody asks who is there, but not again and again', async () => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] })
    const { presence, join, leave, onSweep } = fresh(['ann'])
    const dead = join('dead')
    onSweep(() => leave(dead))
    expect(presence.list()).toEqual([{ id: 'ann' }])
    const zombie = join('zombie')
    const sweep = vi.fn(() => leave(zombie))
    onSweep(sweep)
    expect(presence.list()).toHaveLength(2)
    expect(sweep).not.toHaveBeenCalled()
    vi.setSystemTime(1_001_000)
    expect(await gets(presence.subscribe())).toEqual(['all ann'])
    expect(sweep).toHaveBeenCalledTimes(1)
  })

  it('who is found when somebody subscribes is told to the others', async () => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] })
    const { presence, join, leave, onSweep } = fresh(['ann'])
    const dead = join('dead')
    const { news } = reader(presence.subscribe())
    expect(await news()).toEqual(['all ann dead'])
    vi.setSystemTime(1_002_000)
    onSweep(() => leave(dead))
    presence.subscribe()
    expect(await news()).toEqual(['leave dead'])
  })
})
