import { RpcError } from '@pairwire/contract'
import {
  createLine,
  createPeer,
  createRichCodec,
  jsonCodec,
  LIMITS,
  type Limits,
  type Line,
  type Message,
  richTypes,
} from '@pairwire/wire'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryLedger } from './memory-ledger.ts'
import { createOnce } from './once.ts'
import type { Identified, Session, SessionHello, SessionSocket } from './session.ts'
import { createSessions, type Keeping } from './sessions.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const codec = createRichCodec(8, richTypes)
const turn = () => vi.advanceTimersByTimeAsync(0)

interface Ran {
  readonly path: string
  readonly ctx: unknown
  readonly signal: AbortSignal
  finish(value?: unknown): void
}
interface Options extends Partial<Keeping> {
  limits?: Partial<Limits>
  /** Throws for what may not go on. */
  authorize?(path: string, ctx: unknown): void
}

/** Sessions over a router whose every handler waits until the test lets it end. The path says what a procedure is. */
const make = ({ limits = {}, authorize = () => {}, ...keeping }: Options = {}) => {
  const runs: Ran[] = []
  const entry = (path: string) => {
    const [kind, retry] = path.split('.') as ['query' | 'mutation' | 'subscription', 'once' | 'idempotent' | undefined]
    const rules = { check: (event: unknown) => event, expose: undefined as never }
    return { path, kind, retry, procedure: undefined as never, takesStream: false, ...rules }
  }
  const sessions = createSessions(
    {
      router: {
        find: entry,
        run: ({ path }, call: any) =>
          new Promise((resolve) => {
            runs.push({ path, ctx: call.ctx, signal: call.signal, finish: resolve })
          }),
        authorize: async ({ path }, call: any) => authorize(path, call.ctx),
      },
      limits: { ...LIMITS, ...limits },
      codecs: { rich: codec, json: jsonCodec },
      onError: () => {},
      once: createOnce(memoryLedger(), codec),
      clientOf: undefined,
    },
    { grace: 16_000, sessions: 100, bytes: 1_000_000, ...keeping },
  )
  const hello = (fields: Partial<SessionHello> = {}): SessionHello => ({
    id: 'session',
    codec,
    owner: 'ann',
    timeout: undefined,
    ...fields,
  })
  let order = 0
  /** A socket of a session, as the server makes one. */
  const attach = (session: Session, n: number, { leaving = false, ctx = 'ctx' as unknown } = {}) => {
    const sent: Message[] = []
    const line: Line = createLine({ push: (text) => sent.push(JSON.parse(text)), flush() {} }, codec, LIMITS, 2)
    const identify = vi.fn((params: unknown): Identified => params as Identified)
    const lose = (left = false) => {
      if (session.detach(socket, new RpcError('UNAVAILABLE', 'lost', { executed: 'unknown' })))
        sessions.leave(session, left)
    }
    const supersede = vi.fn(lose)
    const socket: SessionSocket = {
      line,
      peer: createPeer(line, { answers: session.answers }),
      order: n,
      leaving,
      supersede: () => supersede(),
      isReachable: () => true,
      identify,
    }
    session.attach(socket, { owner: session.hello.owner, identity: undefined, ctx })
    const say = (...message: Message) => session.answers.handle(message, line)
    return { socket, sent, say, supersede, lose, identify }
  }
  const find = (fields?: Partial<SessionHello>) => sessions.enter(hello(fields), ++order)!
  const enter = (fields?: Partial<SessionHello>, options?: Parameters<typeof attach>[2]) => {
    const session = find(fields)
    return { session, ...attach(session, order, options) }
  }
  return { sessions, runs, hello, find, enter }
}

describe('a hello', () => {
  it('of the same user, codec and id finds the session, with or without a socket', () => {
    const { sessions, find, enter } = make()
    const { session, lose } = enter()
    expect(find()).toBe(session)
    lose()
    expect(find()).toBe(session)
    expect(sessions.size).toBe(1)
  })

  it.each<Partial<SessionHello>>([{ owner: 'bob' }, { codec: jsonCodec }, { id: 'other' }, { id: '' }])(
    'with %o finds another, and leaves the first alone',
    (fields) => {
      const { sessions, find, enter } = make()
      const { session, supersede } = enter()
      const other = find(fields)
      expect(other).not.toBe(session)
      expect(other.epoch).not.toBe(session.epoch)
      expect([sessions.size, supersede.mock.calls.length]).toEqual([2, 0])
      expect(find()).toBe(session)
    },
  )

  it("cannot make a key that is another user's", () => {
    const { find } = make()
    const one = find({ owner: 'a","rich","b', id: 'c' })
    expect(find({ owner: 'a', id: 'b","rich","c' })).not.toBe(one)
  })

  it('without an id begins a session that remembers nothing, each time', () => {
    const { sessions, enter } = make()
    const one = enter({ id: '' })
    expect(one.session.results).toBeUndefined()
    expect(enter({ id: '' }).session).not.toBe(one.session)
    one.lose()
    expect(sessions.size).toBe(1)
  })
})

describe('a session that lost its socket', () => {
  it('is kept for the grace, with what runs in it, and then ends: every signal fires but those of once', async () => {
    const { sessions, runs, enter, find } = make()
    const { session, say, lose } = enter()
    for (const [n, path] of ['query', 'mutation', 'mutation.idempotent', 'mutation.once'].entries())
      say(2, 2 * n + 1, path)
    lose()
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false, false, false])
    await vi.advanceTimersByTimeAsync(15_999)
    expect([sessions.size, runs[1]!.signal.aborted]).toEqual([1, false])
    // In steps of a sixteenth.
    await vi.advanceTimersByTimeAsync(1_001)
    expect(sessions.size).toBe(0)
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true, true, false])
    expect(runs[1]!.signal.reason).toMatchObject({ code: 'UNAVAILABLE' })
    expect(find()).not.toBe(session)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('and is found again goes on for as long as there is a socket', async () => {
    const { sessions, runs, enter } = make()
    const one = enter()
    one.say(2, 1, 'mutation')
    one.lose()
    await vi.advanceTimersByTimeAsync(15_000)
    const other = enter()
    expect([other.session, vi.getTimerCount()]).toEqual([one.session, 0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(runs[0]!.signal.aborted).toBe(false)
    other.lose()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(sessions.size).toBe(1)
    await vi.advanceTimersByTimeAsync(2_000)
    expect([sessions.size, runs[0]!.signal.aborted]).toEqual([0, true])
  })

  it('ends at once where its client said that it will not come back, and where nothing is to be kept', () => {
    for (const { grace, left } of [
      { grace: 16_000, left: true },
      { grace: 0, left: false },
    ]) {
      const { sessions, runs, enter } = make({ grace })
      const { say, lose } = enter()
      say(2, 1, 'mutation')
      lose(left)
      expect([sessions.size, runs[0]!.signal.aborted, vi.getTimerCount()]).toEqual([0, true, 0])
    }
  })

  it('first ends first, where more are kept than may be; one that has a socket is none of those', () => {
    const { sessions, enter } = make({ sessions: 2 })
    const made = ['a', 'b', 'c', 'd'].map((id) => enter({ id }))
    for (const n of [2, 0, 3]) made[n]!.lose()
    expect([...sessions]).toEqual([made[0]!.session, made[1]!.session, made[3]!.session])
  })

  it('first ends first, where all of them together hold more bytes of results than they may', () => {
    const { sessions, enter } = make({ bytes: 2_500 })
    const keep = ({ session }: { session: Session }) =>
      session.results!.keep(1, { text: '', bytes: undefined, weight: 1_000 }, undefined)
    const made = ['a', 'b'].map((id) => enter({ id }))
    made.forEach(keep)
    made[1]!.lose()
    made[0]!.lose()
    expect(sessions.size).toBe(2)
    made.push(enter({ id: 'c' }))
    keep(made[2]!)
    expect([...sessions]).toEqual([made[0]!.session, made[2]!.session])
    // What a session that ended had kept counts no more.
    made[2]!.lose(true)
    keep(enter({ id: 'd' }))
    expect(sessions.size).toBe(2)
  })

  it('counts with the results that came after it lost its socket', async () => {
    const { sessions, enter, runs } = make({ bytes: 2_500 })
    for (const id of ['a', 'b', 'c']) {
      const { say, lose } = enter({ id })
      say(2, 1, 'mutation')
      lose()
    }
    for (const { finish } of runs) finish('x'.repeat(1_000))
    await turn()
    expect(sessions.size).toBe(2)
  })

  it('shares its timer with others that lost theirs at that time', () => {
    const { enter } = make()
    const made = Array.from({ length: 100 }, (_, n) => enter({ id: `${n}` }))
    for (const { lose } of made) {
      lose()
      vi.advanceTimersByTime(1)
    }
    expect(vi.getTimerCount()).toBe(1)
    expect(new Set(made.map(({ session }) => session.deadline)).size).toBeLessThan(3)
  })

  it('ends, as those with a socket, when all of them are ended, and then also what others may have joined', () => {
    const { sessions, runs, enter } = make()
    const one = enter({ id: 'a' })
    const other = enter({ id: 'b' })
    for (const { say } of [one, other])
      for (const [id, path] of [
        [1, 'mutation'],
        [3, 'mutation.once'],
      ] as const)
        say(2, id, path)
    one.lose()
    sessions.clear()
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true, true, true])
    expect([sessions.size, vi.getTimerCount()]).toEqual([0, 0])
  })
})

describe('a second socket of a session', () => {
  it('takes the place of the first, without its being left in between', async () => {
    const { sessions, runs, enter } = make()
    const one = enter()
    one.say(2, 1, 'mutation')
    one.say(2, 3, 'subscription')
    const other = enter()
    expect([other.session, one.supersede.mock.calls.length]).toEqual([one.session, 1])
    expect(other.session.peer).toBe(other.socket.peer)
    expect([sessions.size, vi.getTimerCount()]).toEqual([1, 0])
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([false, true])
    other.say(2, 1, 'mutation', null, { attempt: 2, epoch: other.session.epoch })
    runs[0]!.finish('result')
    await turn()
    expect([one.sent, other.sent]).toEqual([[], [[7, 1, 'result']]])
  })

  it('stands beside one that was told to move, which serves on', async () => {
    const { runs, enter } = make()
    const one = enter({}, { leaving: true })
    one.say(2, 1, 'query')
    const other = enter()
    expect(one.supersede).not.toHaveBeenCalled()
    expect(other.session.peer).toBe(other.socket.peer)
    runs[0]!.finish('result')
    await turn()
    expect(one.sent).toEqual([[7, 1, 'result']])
    // The session is left by the last of its sockets, whichever that is.
    other.lose()
    expect([vi.getTimerCount(), other.session.peer]).toEqual([0, one.socket.peer])
    one.lose()
    expect(vi.getTimerCount()).toBe(1)
    expect(other.session.peer).toBeUndefined()
  })

  it('that came before the one that is there is the past, also when that one is gone again', () => {
    const { sessions, hello, enter } = make()
    enter()
    const { session, socket, supersede, lose } = enter()
    expect(sessions.enter(hello(), socket.order - 1)).toBeUndefined()
    expect(supersede).not.toHaveBeenCalled()
    lose()
    expect(sessions.enter(hello(), socket.order - 1)).toBeUndefined()
    // It is left as it was: nobody came back.
    expect(vi.getTimerCount()).toBe(1)
    expect(sessions.enter(hello(), socket.order + 1)).toBe(session)
  })

  it('that says it is the only one closes also those that were told to move', () => {
    const { enter } = make()
    const one = enter({}, { leaving: true })
    const other = enter()
    other.session.only(other.socket)
    expect([one.supersede.mock.calls.length, other.supersede.mock.calls.length]).toEqual([1, 0])
  })

  it('sees the context that was made for it', () => {
    const { runs, enter } = make()
    enter({}, { ctx: 'first' }).say(2, 1, 'query')
    enter({}, { ctx: 'second' }).say(2, 3, 'query')
    expect(runs.map(({ ctx }) => ctx)).toEqual(['first', 'second'])
  })
})

describe('a mutation that was sent before, and that nobody here knows', () => {
  const sentElsewhere = { attempt: 2, epoch: 'elsewhere' }

  it('does not run, unless it says that it may run twice', async () => {
    const { runs, enter } = make()
    const { say, sent } = enter()
    say(2, 1, 'mutation', null, sentElsewhere)
    say(2, 3, 'mutation.once', null, sentElsewhere)
    await turn()
    expect(runs).toEqual([])
    const refused = expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' })
    expect(sent).toEqual([
      [8, 1, refused],
      [8, 3, refused],
    ])
    say(2, 5, 'mutation.idempotent', null, sentElsewhere)
    say(2, 7, 'query', null, sentElsewhere)
    expect(runs.map(({ path }) => path)).toEqual(['mutation.idempotent', 'query'])
  })

  it('runs where it was sent to this session: then it never arrived', () => {
    const { runs, enter } = make()
    const { say, session } = enter()
    say(2, 1, 'mutation', null, { attempt: 2, epoch: session.epoch })
    expect(runs).toHaveLength(1)
  })

  it('does not run again where its result was forgotten for lack of room', async () => {
    const { runs, enter } = make({ limits: { results: 200 } })
    const { say, lose } = enter()
    say(2, 1, 'mutation')
    lose()
    runs[0]!.finish('x'.repeat(200))
    await turn()
    const next = enter()
    next.say(2, 1, 'mutation', null, { attempt: 2, epoch: next.session.epoch })
    expect(runs).toHaveLength(1)
    expect(next.sent).toEqual([[8, 1, expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' })]])
  })
})

describe('a mutation that runs once', () => {
  it('is known by its key, to its user and of its procedure; without a key by its session and call', async () => {
    const { runs, enter } = make()
    const one = enter({ id: 'a' })
    const same = enter({ id: 'b' })
    const stranger = enter({ id: 'c', owner: 'bob' })
    one.say(2, 1, 'mutation.once', 'input', { key: 'k' })
    same.say(2, 1, 'mutation.once', 'input', { key: 'k' })
    expect(runs).toHaveLength(1)
    stranger.say(2, 1, 'mutation.once', 'input', { key: 'k' })
    one.say(2, 3, 'mutation.once.other', 'input', { key: 'k' })
    one.say(2, 5, 'mutation.once', 'input')
    same.say(2, 5, 'mutation.once', 'input')
    expect(runs).toHaveLength(5)
    runs[0]!.finish('done')
    await turn()
    expect([one.sent, same.sent, stranger.sent]).toEqual([[[7, 1, 'done']], [[7, 1, 'done']], []])
  })
})

describe('a refresh', () => {
  it('gives later calls a new context, and ends what lost its right; mutations go on', async () => {
    const authorize = (path: string, ctx: unknown) => {
      if (path === 'query.secret' && ctx === 'less') throw new RpcError('PERMISSION_DENIED', 'not any more')
    }
    const { runs, enter } = make({ authorize })
    const { say, sent } = enter()
    for (const [n, path] of ['query', 'query.secret', 'mutation'].entries()) say(2, 2 * n + 1, path)
    say(2, 7, '$refresh', { owner: 'ann', ctx: 'less' })
    await turn()
    expect(sent).toEqual(
      expect.arrayContaining([
        [7, 7],
        [8, 3, expect.objectContaining({ code: 'PERMISSION_DENIED' })],
      ]),
    )
    expect([sent.length, runs.map(({ signal }) => signal.aborted)]).toEqual([2, [false, true, false]])
    say(2, 9, 'query')
    expect(runs.at(-1)!.ctx).toBe('less')
  })

  it('by somebody else, or that is refused, changes nothing', async () => {
    const { runs, enter } = make({
      authorize: (_path, ctx) => {
        if (ctx !== 'ctx') throw new RpcError('PERMISSION_DENIED')
      },
    })
    const { say, sent, identify } = enter()
    say(2, 1, 'query')
    say(2, 3, '$refresh', { owner: 'bob', ctx: 'his' })
    await turn()
    identify.mockImplementation(() => {
      throw new RpcError('UNAUTHENTICATED', 'who are you?')
    })
    say(2, 5, '$refresh')
    await turn()
    expect(sent).toEqual([
      [8, 3, expect.objectContaining({ code: 'PERMISSION_DENIED' })],
      [8, 5, expect.objectContaining({ code: 'UNAUTHENTICATED' })],
    ])
    say(2, 7, 'query')
    expect(runs.map(({ ctx, signal }) => [ctx, signal.aborted])).toEqual(Array(2).fill(['ctx', false]))
  })
})

describe('a rate', () => {
  it('is of the session, also over more sockets than one', () => {
    const { runs, enter } = make({ limits: { rate: 2, burst: 3 } })
    const one = enter()
    for (const id of [1, 3]) one.say(2, id, 'query')
    one.lose()
    const other = enter()
    for (const id of [5, 7]) other.say(2, id, 'query')
    expect(runs).toHaveLength(3)
    const refused = { code: 'RESOURCE_EXHAUSTED', executed: 'no', retryAfter: 500 }
    expect(other.sent).toEqual([[8, 7, expect.objectContaining(refused)]])
    vi.advanceTimersByTime(500)
    other.say(2, 7, 'query')
    expect(runs).toHaveLength(4)
  })
})
