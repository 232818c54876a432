import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { RpcError } from '@pairwire/contract'
import { createRichCodec, richTypes } from '@pairwire/wire'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { CallLedger, LedgerOutcome } from '../ledger.ts'
import { createOnce, type Once } from '../once.ts'
import { type DurableLedgerOptions, durableLedger } from './durable-ledger.ts'
import { migrate, STEPS } from './schema.ts'

// Each test has an object of its own. A turn in it is one event: what is written there is stored together, or not at all.

type Stub = DurableObjectStub
const namespace = (env as unknown as { OBJECT: DurableObjectNamespace }).OBJECT
const codec = createRichCodec(8, richTypes)

interface Turn {
  readonly ctx: DurableObjectState
  readonly sql: SqlStorage
  readonly ledger: CallLedger
  readonly once: Once
}

let stub: Stub
let objects = 0
let onces = new WeakMap<DurableObjectState, Turn>()

beforeEach(() => {
  stub = namespace.getByName(`ledger ${objects++}`)
  onces = new WeakMap()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** One event in the object, with what its instance would keep as fields. */
const turn = <R>(run: (turn: Turn) => R, options?: DurableLedgerOptions): Promise<Awaited<R>> =>
  runInDurableObject(stub, async (_, ctx) => {
    let made = onces.get(ctx)
    if (!made) {
      const ledger = durableLedger(ctx, options)
      made = { ctx, sql: ctx.storage.sql, ledger, once: createOnce(ledger, codec) }
      onces.set(ctx, made)
      made.sql.exec('CREATE TABLE IF NOT EXISTS effects (name TEXT)')
    }
    return await run(made)
  }) as Promise<Awaited<R>>

/** The object falls asleep. */
const sleep = () => evictDurableObject(stub)

/** The object dies at the end of the turn. */
const crash = async (run: (turn: Turn) => unknown, options?: DurableLedgerOptions) => {
  await expect(
    turn(async (each) => {
      await run(each)
      each.ctx.abort('crash')
    }, options),
  ).rejects.toThrow('crash')
  // It comes back for the next event.
  stub = namespace.getByName(`ledger ${objects - 1}`)
}

/** Lets what was written be stored. */
const stored = ({ ctx }: Turn) => ctx.storage.sync()

const effect = ({ sql }: Turn, name = 'effect'): undefined => {
  sql.exec('INSERT INTO effects VALUES (?)', name)
}
const effects = () =>
  turn(({ sql }) =>
    sql
      .exec('SELECT name FROM effects')
      .toArray()
      .map(({ name }) => name),
  )
const records = () =>
  turn(({ sql }) => sql.exec('SELECT key, part, kind FROM pairwire_ledger ORDER BY key, part').toArray())

const run = ({ once }: Turn, start: () => unknown, { key = 'key', input = { a: 1 } as unknown, resent = false } = {}) =>
  once.run(key, input, resent, start)

const never = () => {
  throw new Error('it was started')
}

const failed = async (work: () => unknown): Promise<RpcError> => {
  try {
    await work()
  } catch (error) {
    return error as RpcError
  }
  throw new Error('it did not fail')
}

const cutOff = expect.objectContaining({ code: 'UNAVAILABLE', executed: 'unknown' })
const refusal = expect.objectContaining({ code: 'RESOURCE_EXHAUSTED', executed: 'no' })
const outcome = (json = '1'): LedgerOutcome => ({ kind: 'result', json, marks: '' })

/** The time of day, to be set by hand. */
const clock = () => {
  const time = { now: 1_800_000_000_000 }
  vi.spyOn(Date, 'now').mockImplementation(() => time.now)
  return time
}

it('gives a key to one, and shows the others its record, also after a sleep', async () => {
  const bytes = new Uint8Array([1, 2])
  await turn(({ ledger }) => {
    expect(ledger.durable).toBe(true)
    expect(ledger.claim('a', 'in')).toBeUndefined()
    expect(ledger.claim('a', 'other')).toEqual({ input: 'in', outcome: undefined })
    expect(ledger.claim('b', 'in')).toBeUndefined()
    ledger.settle('a', { kind: 'error', json: '{}', marks: '[]', bytes })
    ledger.settle('b', { kind: 'result', json: '[0,0]', marks: '', bytes: new Uint8Array(0) })
  })
  for (let i = 0; i < 2; i++) {
    await turn(({ ledger }) => {
      expect(ledger.claim('a', 'in')).toEqual({
        input: 'in',
        outcome: { kind: 'error', json: '{}', marks: '[]', bytes },
      })
      expect(ledger.claim('b', 'in')).toMatchObject({ outcome: { bytes: new Uint8Array(0) } })
    })
    await sleep()
  }
})

it('takes a released key back, whether its start was written or not', async () => {
  await turn(async ({ ledger }) => {
    for (const wait of [false, true]) {
      ledger.claim('a', 'in')
      if (wait) await null
      ledger.release('a')
      expect(ledger.claim('a', 'other')).toBeUndefined()
      ledger.release('a')
    }
  })
  expect(await records()).toEqual([])
})

it('keeps the first outcome, and knows nothing of keys that nobody claimed', async () => {
  await turn(({ ledger }) => {
    ledger.claim('a', 'in')
    for (const json of ['1', '2']) ledger.settle('a', outcome(json))
    ledger.release('a')
    expect(ledger.claim('a', 'in')).toMatchObject({ outcome: { json: '1' } })
    ledger.settle('b', outcome())
    ledger.release('b')
    expect(ledger.claim('b', 'in')).toBeUndefined()
  })
})

it('says which option makes no sense', async () => {
  await turn(({ ctx }) => {
    for (const name of ['window', 'entries', 'bytes'])
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never]) {
        const make = () => durableLedger(ctx, { [name]: value })
        expect(make).toThrow(RangeError)
        expect(make).toThrow(name)
      }
    expect(durableLedger(ctx, { window: 1, entries: 1, bytes: 1 }).claim('a', 'in')).toBeUndefined()
  })
})

it('refuses a key that would not fit in a row', async () => {
  await turn(async (t) => {
    const error = await failed(() => run(t, never, { key: 'k'.repeat(100_000) }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', executed: 'no', message: expect.stringMatching('100000') })
    expect(run(t, () => 5, { key: 'k'.repeat(99_000) })).toBe(5)
  })
})

it('is one ledger, also where two are made of one object', async () => {
  await turn(({ ctx, ledger }) => {
    const other = durableLedger(ctx)
    ledger.claim('a', 'in')
    expect(other.claim('a', 'in')).toEqual({ input: 'in', outcome: undefined })
  })
})

// The window.

it('keeps a record for its window, counted from the end of the call', async () => {
  const time = clock()
  const options = { window: 100 }
  await turn(async ({ ledger }) => {
    ledger.claim('a', 'in')
    await null
  }, options)
  time.now += 1_000
  await turn(({ ledger }) => {
    expect(ledger.claim('a', 'in')).toBeDefined()
    ledger.settle('a', outcome())
  }, options)
  time.now += 99
  await sleep()
  await turn(({ ledger }) => expect(ledger.claim('a', 'in')).toBeDefined(), options)
  time.now += 1
  await turn(({ ledger }) => expect(ledger.claim('a', 'other')).toBeUndefined(), options)
})

it('keeps a record for a day where nothing else is said', async () => {
  const time = clock()
  await turn(({ ledger }) => {
    ledger.claim('a', 'in')
    ledger.settle('a', outcome())
  })
  time.now += 86_399_999
  await turn(({ ledger }) => expect(ledger.claim('a', 'in')).toBeDefined())
  time.now += 1
  await turn(({ ledger }) => expect(ledger.claim('a', 'in')).toBeUndefined())
})

it('never forgets a call that runs; one that was cut off, after a window from its start', async () => {
  const time = clock()
  const options = { window: 100 }
  await turn((t) => void run(t, () => new Promise(() => {})), options)
  time.now += 1_000
  await turn(async (t) => {
    // Others begin meanwhile, and drop what is over.
    for (let i = 0; i < 3; i++) expect(run(t, () => i, { key: `${i}` })).toBe(i)
    expect(t.ledger.claim('key', '')).toMatchObject({ outcome: undefined })
  }, options)

  await turn((t) => void run(t, () => new Promise(() => {}), { key: 'cut' }), options)
  await sleep()
  time.now += 99
  await turn(async (t) => expect(await failed(() => run(t, never, { key: 'cut' }))).toEqual(cutOff), options)
  time.now += 1
  await turn((t) => expect(run(t, () => 5, { key: 'cut' })).toBe(5), options)
})

it('stores the end of a call whose start was dropped', async () => {
  const time = clock()
  const options = { window: 100 }
  await turn(({ ledger }) => void ledger.claim('a', 'in'), options)
  time.now += 1_000
  await turn(({ ledger }) => {
    for (const key of ['b', 'c']) ledger.claim(key, 'in')
    ledger.settle('a', outcome())
  }, options)
  await sleep()
  time.now += 99
  await turn(({ ledger }) => expect(ledger.claim('a', 'in')).toEqual({ input: 'in', outcome: outcome() }), options)
})

it.each([-50, -1_000_000])('does not end a window early where the clock is set by %d', async (by) => {
  const time = clock()
  const options = { window: 100 }
  const end = ({ ledger }: Turn, key: string) => {
    expect(ledger.claim(key, 'in')).toBeUndefined()
    ledger.settle(key, outcome())
  }
  await turn((t) => end(t, 'a'), options)
  time.now += by
  await turn((t) => end(t, 'b'), options)
  // Of what is recorded since, windows are as long as ever, and do not wait for the time that the clock once showed.
  time.now += 99
  await turn(({ ledger }) => {
    for (const key of ['a', 'b']) expect(ledger.claim(key, 'in')).toBeDefined()
  }, options)
  time.now += 1
  await turn(({ ledger }) => expect(ledger.claim('b', 'in')).toBeUndefined(), options)
  // And no earlier record under a key comes back with its time.
  await turn(({ ledger }) => ledger.settle('b', outcome('2')), options)
  time.now -= 50
  await turn(({ ledger }) => expect(ledger.claim('b', 'in')).toMatchObject({ outcome: { json: '2' } }), options)
})

it('shows the last of two records that a clock brings into sight together', async () => {
  const time = clock()
  const options = { window: 100 }
  const put = (key: string, bytes: Uint8Array) =>
    turn(({ ledger }) => {
      expect(ledger.claim(key, 'in')).toBeUndefined()
      ledger.settle(key, { ...outcome(), bytes })
    }, options)
  await put('a', new Uint8Array(1))
  time.now += 10
  await put('b', new Uint8Array(1_200_000))
  time.now += 10
  await put('c', new Uint8Array(1))
  // The page of 'a' is dropped here, and that of 'b' is not yet.
  time.now += 95
  await put('b', new Uint8Array(3))
  time.now -= 50
  await turn(
    ({ ledger }) => expect(ledger.claim('b', 'in')).toMatchObject({ outcome: { bytes: { length: 3 } } }),
    options,
  )
})

it('keeps every record of a page until its window is over, also where another instance began the page', async () => {
  const time = clock()
  const options = { window: 1_600 }
  const begin = time.now
  for (const [key, at] of Object.entries({ a: 0, b: 90 })) {
    time.now = begin + at
    await turn((t) => fill(t, key), options)
    await sleep()
  }
  time.now = begin + 1_610
  await turn(({ ledger }) => {
    expect(ledger.claim('a', 'in')).toBeUndefined()
    expect(ledger.claim('b', 'in')).toBeDefined()
  }, options)
})

it('mixes no outcome with one before it, where the window was made longer meanwhile', async () => {
  const time = clock()
  const put = (key: string, length: number) => (t: Turn) => {
    expect(t.ledger.claim(key, 'in')).toBeUndefined()
    t.ledger.settle(key, { ...outcome(), bytes: new Uint8Array(length).fill(length % 251) })
  }
  await turn(put('a', 1_200_000), { window: 10_000 })
  await sleep()
  time.now += 100
  await turn(put('b', 1), { window: 86_400_000 })
  time.now += 10_000
  await turn(put('a', 3))
  time.now -= 10_000
  await turn(({ ledger }) => {
    const { outcome } = ledger.claim('a', 'in') as { outcome: LedgerOutcome }
    expect(outcome.bytes).toEqual(new Uint8Array([3, 3, 3]))
  })
  expect(await turn(({ sql }) => sql.exec('SELECT part FROM pairwire_ledger').toArray())).toHaveLength(2)
})

// The bounds.

const fill = ({ ledger }: Turn, ...keys: string[]) => {
  for (const key of keys) {
    expect(ledger.claim(key, 'in')).toBeUndefined()
    ledger.settle(key, outcome())
  }
}

it('refuses new keys at the bound of entries, until the oldest is gone', async () => {
  const time = clock()
  const options = { window: 100, entries: 2 }
  await turn((t) => fill(t, 'a'), options)
  time.now += 2
  await turn((t) => fill(t, 'b'), options)
  for (let i = 0; i < 2; i++) {
    await turn(async ({ ledger }) => {
      const error = await failed(() => ledger.claim('c', 'in'))
      expect(error).toEqual(refusal)
      expect(error.retryAfter).toBe(98)
      // What is known is still answered.
      expect(ledger.claim('a', 'in')).toBeDefined()
    }, options)
    await sleep()
  }
  time.now += 98
  await turn(async ({ ledger }) => {
    expect(ledger.claim('c', 'in')).toBeUndefined()
    expect((await failed(() => ledger.claim('d', 'in'))).retryAfter).toBe(2)
    ledger.release('c')
    expect(ledger.claim('d', 'in')).toBeUndefined()
  }, options)
})

it('counts calls that run, and cannot say when to try again while all of them do', async () => {
  for (const wait of [false, true])
    await turn(
      async ({ ledger }) => {
        ledger.claim('a', 'in')
        if (wait) await null
        const error = await failed(() => ledger.claim('b', 'in'))
        expect(error).toEqual(refusal)
        expect(error.retryAfter).toBeUndefined()
        ledger.release('a')
        expect(ledger.claim('b', 'in')).toBeUndefined()
        ledger.release('b')
      },
      { entries: 1 },
    )
})

it('counts exactly, over sleeps and pages and what was dropped', async () => {
  const time = clock()
  const options = { window: 1_600, entries: 400 }
  for (let round = 0; round < 2; round++) {
    let made = 0
    // Of two windows, so that there is something to drop in the second.
    for (let i = 0; made < 400; i++) {
      await turn(async (t) => {
        for (let j = 0; j < 30 && made < 400; j++, made++) {
          const key = `${round} ${made}`
          if (j % 3 === 0) fill(t, key)
          else {
            t.ledger.claim(key, 'in')
            await null
            if (j % 3 === 1) t.ledger.settle(key, outcome())
            else {
              t.ledger.release(key)
              fill(t, key)
            }
          }
        }
      }, options)
      time.now += i % 2 ? 30 : 120
      if (i % 4 === 0) await sleep()
    }
    await turn(async ({ ledger }) => expect(await failed(() => ledger.claim('more', 'in'))).toEqual(refusal), options)
    time.now += 1_800
  }
})

it('counts a record once, whatever it takes', async () => {
  clock()
  const options = { entries: 32, bytes: 10_000_000 }
  await turn(({ ledger }) => {
    ledger.claim('large', 'in')
    ledger.settle('large', { ...outcome(), bytes: new Uint8Array(1_200_000) })
  }, options)
  await sleep()
  await turn(async (t) => {
    fill(t, ...Array.from({ length: 31 }, (_, i) => `${i}`))
    expect(await failed(() => t.ledger.claim('more', 'in'))).toEqual(refusal)
  }, options)
})

it('counts bytes once, of calls that begin and of those that end', async () => {
  const key = (i: number) => `${i}`.repeat(10_000)
  const options = { bytes: 50_000 }
  const refused = async ({ ledger }: Turn) => expect(await failed(() => ledger.claim('more', 'in'))).toEqual(refusal)
  await turn(async (t) => {
    for (let i = 0; i < 4; i++) {
      expect(t.ledger.claim(key(i), 'in')).toBeUndefined()
      await null
      t.ledger.settle(key(i), outcome())
    }
    expect(t.ledger.claim(key(4), 'in')).toBeUndefined()
    await refused(t)
    t.ledger.release(key(4))
    expect(t.ledger.claim(key(4), 'in')).toBeUndefined()
    await refused(t)
  }, options)
})

it('gives room back in steps, by time and by bytes', async () => {
  const time = clock()
  const begin = time.now
  const at = (after: number) => {
    time.now = begin + after
  }
  const full = async (t: Turn) => (await failed(() => t.ledger.claim('more', 'in'))).retryAfter
  await turn(
    async (t) => {
      fill(t, 'a')
      at(100)
      fill(t, ...Array.from({ length: 47 }, (_, i) => `${i}`))
      expect(await full(t)).toBe(1_500)
    },
    { window: 1_600, entries: 48 },
  )
  stub = namespace.getByName(`ledger ${objects++}`)
  await turn(
    async (t) => {
      at(0)
      fill(t, 'a'.repeat(10_000))
      at(50)
      fill(t, ...Array.from({ length: 15 }, (_, i) => `${i % 10}`.repeat(10_000 + i)))
      expect(await full(t)).toBe(1_550)
    },
    { window: 1_600, bytes: 160_000 },
  )
})

it('does not count what is over for the sake of a call that ends later', async () => {
  const time = clock()
  const options = { window: 100, entries: 160 }
  await turn(async (t) => {
    t.ledger.claim('a', 'in')
    await null
    fill(t, ...Array.from({ length: 9 }, (_, i) => `old ${i}`))
  }, options)
  time.now += 1_000
  await turn(async (t) => {
    t.ledger.settle('a', outcome())
    fill(t, ...Array.from({ length: 159 }, (_, i) => `${i}`))
    expect(await failed(() => t.ledger.claim('more', 'in'))).toEqual(refusal)
  }, options)
})

it('does not count what is over because a clock was once ahead', async () => {
  const time = clock()
  const options = { window: 160, entries: 320 }
  time.now += 1e9
  await turn((t) => fill(t, 'ahead'), options)
  time.now -= 1e9
  await turn((t) => fill(t, ...Array.from({ length: 15 }, (_, i) => `old ${i}`)), options)
  time.now += 160
  await turn(async (t) => {
    fill(t, ...Array.from({ length: 319 }, (_, i) => `${i}`))
    expect(await failed(() => t.ledger.claim('more', 'in'))).toEqual(refusal)
  }, options)
})

it('stores an outcome past the bound of bytes, and refuses new keys until there is room', async () => {
  const time = clock()
  const options = { window: 160, bytes: 100_000 }
  await turn(({ ledger }) => {
    for (const key of ['a', 'b']) ledger.claim(key, 'in')
    ledger.settle('a', { ...outcome(), bytes: new Uint8Array(200_000) })
  }, options)
  await turn(async ({ ledger }) => {
    const error = await failed(() => ledger.claim('c', 'in'))
    expect(error).toEqual(refusal)
    expect(error.retryAfter).toBe(160)
    ledger.settle('b', outcome('"still stored"'))
  }, options)
  await sleep()
  await turn(async ({ ledger }) => {
    expect(await failed(() => ledger.claim('c', 'in'))).toEqual(refusal)
    expect(ledger.claim('a', 'in')).toMatchObject({ outcome: { bytes: { length: 200_000 } } })
    expect(ledger.claim('b', 'in')).toMatchObject({ outcome: { json: '"still stored"' } })
  }, options)
  time.now += 160
  await turn(({ ledger }) => expect(ledger.claim('c', 'in')).toBeUndefined(), options)
})

it.each<[string, string, string, Partial<LedgerOutcome>]>([
  ['keys', 'k'.repeat(50_000), '', {}],
  ['inputs', 'k', 'i'.repeat(50_000), {}],
  ['texts', 'k', '', { json: 'j'.repeat(50_000) }],
  ['marks', 'k', '', { marks: 'm'.repeat(50_000) }],
  ['bytes', 'k', '', { bytes: new Uint8Array(50_000) }],
])('counts %s, and gives back what it counted', async (_, key, input, part) => {
  const time = clock()
  const options = { window: 100, bytes: 50_000 }
  for (let i = 0; i < 3; i++) {
    await turn(async ({ ledger }) => {
      expect(ledger.claim(key, input)).toBeUndefined()
      if (i) await null
      ledger.settle(key, { ...outcome(), ...part })
      expect(await failed(() => ledger.claim('other', 'in'))).toEqual(refusal)
    }, options)
    time.now += 100
  }
  const fits = (ledger: CallLedger) => {
    let count = 0
    try {
      for (; ; count++) ledger.claim(`${count}`, 'in')
    } catch {}
    return count
  }
  const count = await turn(async ({ ledger }) => {
    ledger.claim(key, input)
    await null
    ledger.release(key)
    return fits(ledger)
  }, options)
  expect(count).toBeGreaterThan(100)
  stub = namespace.getByName(`ledger ${objects++}`)
  expect(await turn(({ ledger }) => fits(ledger), options)).toBe(count)
})

// What it costs.

/** A ledger that tells what its statements read and wrote. */
const counted = ({ ctx }: Turn) => {
  const cursors: SqlStorageCursor<any>[] = []
  const sql = {
    exec(query: string, ...values: unknown[]) {
      const cursor = ctx.storage.sql.exec(query, ...values)
      cursors.push(cursor)
      return cursor
    },
  }
  const storage = { sql, transactionSync: (work: () => unknown) => ctx.storage.transactionSync(work) }
  const ledger = durableLedger({ storage, abort: () => {} } as never)
  const count = async (work: () => unknown) => {
    cursors.length = 0
    await work()
    let [read, written] = [0, 0]
    for (const cursor of cursors) {
      read += cursor.rowsRead
      written += cursor.rowsWritten
    }
    return { read, written }
  }
  return { once: createOnce(ledger, codec), ledger, count }
}

it('writes one row for a call without await, two for one with, and none to replay one', async () => {
  await turn(async (t) => {
    const { once, count } = counted(t)
    // The first makes the tables and a page.
    once.run('first', 1, false, () => 1)
    const written = async (work: () => unknown) => (await count(work)).written
    const refuse = () => {
      throw new RpcError('ABORTED', 'no', { executed: 'no' })
    }
    expect(await written(() => once.run('sync', 1, false, () => 5))).toBe(1)
    expect(await written(() => once.run('sync', 1, false, never))).toBe(0)
    expect(await written(() => failed(() => once.run('sync', 2, false, never)))).toBe(0)
    expect(await written(() => failed(() => once.run('refused', 1, false, refuse)))).toBe(0)
    expect(await written(() => once.run('async', 1, false, async () => 5))).toBe(2)
    expect(await written(() => failed(() => once.run('late', 1, false, async () => refuse())))).toBe(2)
  })
})

it('drops what is over in small steps, a row for a record, and reads little of much', async () => {
  const time = clock()
  await turn(async (t) => {
    const { ledger, count } = counted(t)
    const put = (key: string) => {
      ledger.claim(key, 'in')
      ledger.settle(key, outcome())
    }
    put('first')
    const all = await count(() => {
      for (let i = 0; i < 3_000; i++) put(`${i}`)
    })
    const pages = t.sql.exec('SELECT page FROM pairwire_ledger_pages').toArray().length
    expect(all.written).toBeLessThanOrEqual(3_000 + 2 * pages)
    expect(pages).toBeLessThan(20)
    time.now += 86_400_000
    const left = () => t.sql.exec<{ n: number }>('SELECT count(*) AS n FROM pairwire_ledger').one().n
    let steps = 0
    const dropped = await count(() => {
      for (let before = left(); steps < 1_000; steps++) {
        put(`new ${steps}`)
        expect(before - left()).toBeLessThan(32)
        before = left()
      }
    })
    expect(left()).toBe(1_000)
    expect(dropped.written).toBeLessThan(3_000 + 1_000 + 3 * pages + 30)
  })
  // A new instance counts the open page, and nothing else.
  const entries = 1_000
  await sleep()
  await turn(async (t) => {
    const { ledger, count } = counted(t)
    ledger.claim('warm', 'in')
    ledger.release('warm')
    const { read } = await count(() => ledger.claim('x', 'in'))
    expect(read).toBeLessThan(100)
  })
  await sleep()
  await turn(async (t) => {
    const { ledger, count } = counted(t)
    const { read } = await count(() => ledger.claim('x', 'in'))
    expect(read).toBeLessThan(entries / 2)
  })
})

it('stores outcomes that are larger than a row may be', async () => {
  const value = { text: '😀'.repeat(700_000), bytes: new Uint8Array(3_000_000).fill(7), at: new Date(5) }
  await turn((t) => void run(t, () => value))
  await sleep()
  await turn((t) => {
    const again = run(t, never) as typeof value
    expect(again.text === value.text).toBe(true)
    expect(again.bytes.length).toBe(3_000_000)
    expect(again.bytes.every((byte) => byte === 7)).toBe(true)
    expect(again.at).toEqual(new Date(5))
    const sizes = t.sql.exec<{ size: number }>(
      'SELECT length(CAST(json AS BLOB)) + coalesce(length(marks), 0) + coalesce(length(bytes), 0) AS size FROM pairwire_ledger',
    )
    for (const { size } of sizes) expect(size).toBeLessThan(2_000_000 - 300_000)
  })
})

it('drops all rows of a large one, before and after others', async () => {
  const time = clock()
  await turn(({ ledger }) => {
    for (let i = 0; i < 40; i++) {
      ledger.claim(`${i + 10}`, 'in')
      ledger.settle(`${i + 10}`, { ...outcome(), bytes: new Uint8Array(i === 31 ? 1_200_000 : 1) })
    }
  })
  time.now += 86_400_000
  await turn(({ ledger }) => ledger.claim('a', 'in'))
  expect((await records()).map(({ key }) => key)).toEqual(['42', '43', '44', '45', '46', '47', '48', '49', 'a'])
})

// With what the handler writes.

it('runs a call once, whenever the object sleeps', async () => {
  for (const resent of [false, true]) {
    expect(await turn((t) => run(t, () => effect(t) ?? 5, { resent }))).toBe(5)
    await sleep()
  }
  const thrown = () => {
    throw new RpcError('ABORTED', 'no luck', { executed: 'yes', data: { at: new Date(5) } })
  }
  for (const start of [thrown, never]) {
    const error = await turn((t) => failed(() => run(t, start, { key: 'failing' })))
    expect(error).toMatchObject({ code: 'ABORTED', message: 'no luck', executed: 'yes', data: { at: new Date(5) } })
    await sleep()
  }
  expect(await effects()).toEqual(['effect'])
})

it('refuses another input under the same key, running, asleep and after', async () => {
  const refused = expect.objectContaining({ code: 'FAILED_PRECONDITION', executed: 'no' })
  const other = (t: Turn) => failed(() => run(t, never, { input: { a: 2 } }))
  await turn(async (t) => {
    run(t, () => new Promise(() => {}))
    expect(await other(t)).toEqual(refused)
    await null
    expect(await other(t)).toEqual(refused)
  })
  await sleep()
  expect(await turn(other)).toEqual(refused)
  await turn((t) => run(t, () => 5, { key: 'done' }))
  await sleep()
  expect(await turn((t) => failed(() => run(t, never, { key: 'done', input: 0 })))).toEqual(refused)
})

it('lets a call join the same one that runs', async () => {
  let go!: (value: number) => void
  const gate = new Promise<number>((resolve) => {
    go = resolve
  })
  const first = turn((t) => run(t, () => effect(t) ?? gate))
  await turn(stored)
  const second = turn((t) => run(t, never, { resent: true }))
  await turn(() => go(5))
  expect(await first).toBe(5)
  expect(await second).toBe(5)
  expect(await effects()).toEqual(['effect'])
})

it('leaves neither effect nor record where the object dies in the turn of a call without await', async () => {
  await crash((t) => run(t, () => effect(t) ?? 5))
  expect(await effects()).toEqual([])
  // So it is known that it did not run.
  expect(await turn((t) => run(t, () => effect(t, 'again') ?? 6, { resent: true }))).toBe(6)
  await sleep()
  expect(await turn((t) => run(t, never, { resent: true }))).toBe(6)
  expect(await effects()).toEqual(['again'])
})

it('leaves both where it dies after that turn', async () => {
  await crash(async (t) => {
    run(t, () => effect(t) ?? 5)
    await stored(t)
  })
  expect(await effects()).toEqual(['effect'])
  expect(await turn((t) => run(t, never, { resent: true }))).toBe(5)
})

it('dies within a handler: neither is left', async () => {
  await expect(
    turn((t) =>
      run(t, () => {
        effect(t)
        t.ctx.abort('crash')
      }),
    ),
  ).rejects.toThrow('crash')
  stub = namespace.getByName(`ledger ${objects - 1}`)
  expect(await effects()).toEqual([])
  expect(await turn((t) => run(t, () => 5, { resent: true }))).toBe(5)
})

const ends = ['with its start', 'once that is stored', 'in a later turn', 'once that is stored, too'] as const
it.each(ends)('never runs a call with await again whose object died %s', async (end) => {
  const at = ends.indexOf(end)
  const die = async (t: Turn, now: number) => {
    if (at === now) t.ctx.abort('crash')
    await stored(t)
  }
  await expect(
    turn((t) =>
      run(t, async () => {
        effect(t)
        await null
        await die(t, 0)
        await die(t, 1)
        effect(t, 'late')
        await die(t, 2)
        await die(t, 3)
      }),
    ),
  ).rejects.toThrow('crash')
  stub = namespace.getByName(`ledger ${objects - 1}`)
  expect(await effects()).toEqual([[], ['effect'], ['effect'], ['effect', 'late']][at])
  for (const resent of [true, false]) {
    // Without a trace of the first, the call is as new.
    if (at === 0) expect(await turn((t) => run(t, () => 6, { resent }))).toBe(6)
    else expect(await turn((t) => failed(() => run(t, never, { resent })))).toEqual(cutOff)
    await sleep()
  }
})

it('records the start before an await goes on', async () => {
  await turn((t) => {
    const kinds = () => t.sql.exec('SELECT kind FROM pairwire_ledger').toArray()
    return run(t, async () => {
      await null
      expect(kinds()).toEqual([{ kind: null }])
    })
  })
  expect(await records()).toEqual([{ key: 'key', part: 0, kind: 'result' }])
})

it('records what a handler says of its own transaction that was rolled back', async () => {
  const rollBack = (t: Turn) => () => {
    t.ctx.storage.transactionSync(() => {
      effect(t)
      throw new RpcError('ABORTED', 'rolled back', { executed: 'yes' })
    })
  }
  await turn((t) => failed(() => run(t, rollBack(t))))
  await sleep()
  expect(await turn((t) => failed(() => run(t, never)))).toMatchObject({ code: 'ABORTED', message: 'rolled back' })
  // And where it awaits one.
  await turn((t) =>
    failed(() =>
      run(
        t,
        () =>
          t.ctx.storage.transaction(async () => {
            effect(t)
            throw new RpcError('ABORTED', 'rolled back later', { executed: 'yes' })
          }),
        { key: 'async' },
      ),
    ),
  )
  await sleep()
  expect(await turn((t) => failed(() => run(t, never, { key: 'async' })))).toMatchObject({
    message: 'rolled back later',
  })
  expect(await effects()).toEqual([])
})

it('goes on where it was part of a transaction that was rolled back', async () => {
  const time = clock()
  await turn((t) => {
    fill(t, 'a')
    time.now += 20_000_000
    const undone = () => {
      fill(t, 'b')
      throw new Error('undone')
    }
    expect(() => t.ctx.storage.transactionSync(undone)).toThrow('undone')
    fill(t, 'c', 'b')
  })
  await sleep()
  await turn(({ ledger }) => {
    for (const key of ['a', 'b', 'c']) expect(ledger.claim(key, 'in')).toMatchObject({ outcome: { json: '1' } })
  })
})

it('keeps the start of a call that dies within a transaction of its own', async () => {
  await expect(
    turn((t) =>
      run(t, () =>
        t.ctx.storage.transaction(async () => {
          effect(t)
          t.ctx.abort('crash')
        }),
      ),
    ),
  ).rejects.toThrow('crash')
  stub = namespace.getByName(`ledger ${objects - 1}`)
  expect(await turn((t) => failed(() => run(t, never, { resent: true })))).toEqual(cutOff)
  expect(await effects()).toEqual([])
})

it('makes its tables again after deleteAll', async () => {
  await turn(async (t) => {
    run(t, () => 5)
    await t.ctx.storage.deleteAll()
    expect(run(t, () => 6)).toBe(6)
    expect(run(t, never)).toBe(6)
    // A call that runs while all is deleted is remembered, whoever makes the tables again.
    for (const key of ['a', 'b', 'c']) {
      expect(
        await run(
          t,
          async () => {
            await null
            await t.ctx.storage.deleteAll()
            if (key === 'b') migrate(t.ctx.storage)
            if (key === 'c') run(t, () => 5, { key: 'other' })
            return key
          },
          { key },
        ),
      ).toBe(key)
      expect(await run(t, never, { key })).toBe(key)
    }
    const clear = () => {
      t.ctx.storage.deleteAll()
      return 7
    }
    expect(run(t, clear, { key: 'sync' })).toBe(7)
    run(t, () => new Promise(() => {}), { key: 'running' })
    await t.ctx.storage.deleteAll()
    t.ledger.release('running')
  })
  await sleep()
  await turn((t) => void t.sql.exec('CREATE TABLE IF NOT EXISTS effects (name TEXT)'))
  expect(await turn((t) => run(t, () => 8, { key: 'sync' }))).toBe(8)
})

it('takes back what a call did that cannot be recorded', async () => {
  const broken = (t: Turn) =>
    t.sql.exec(`CREATE TRIGGER IF NOT EXISTS broken BEFORE INSERT ON pairwire_ledger
      WHEN NEW.key <> 'first' BEGIN SELECT RAISE(ABORT, 'broken'); END`)
  await turn((t) => {
    run(t, () => 5, { key: 'first' })
    broken(t)
  })
  for (const later of [false, true]) {
    await expect(
      turn(async (t) => {
        await run(t, () => {
          effect(t)
          return later ? new Promise(() => {}) : 5
        })
      }),
    ).rejects.toThrow('could not be recorded')
    stub = namespace.getByName(`ledger ${objects - 1}`)
    expect(await effects()).toEqual([])
  }
  // Where its start is recorded, the instance goes on.
  await turn(async (t) => {
    t.sql.exec('DROP TRIGGER broken')
    const error = await failed(() =>
      run(t, async () => {
        effect(t)
        await null
        broken(t)
      }),
    )
    expect(error.message).toMatch('could not be stored')
  })
  await sleep()
  expect(await turn((t) => failed(() => run(t, never)))).toEqual(cutOff)
  expect(await effects()).toEqual(['effect'])
})

it('comes to an object that has tables of an older version', async () => {
  await runInDurableObject(stub, (_, { storage }) => {
    const older = STEPS.findIndex((step) => /pairwire_ledger/.test(step.toString()))
    expect(older).toBeGreaterThan(0)
    migrate(storage, STEPS.slice(0, older))
    expect(() => storage.sql.exec('SELECT * FROM pairwire_ledger')).toThrow('no such table')
    storage.sql.exec("INSERT INTO pairwire_pieces VALUES (1, 'name', 'text', NULL)")
  })
  await sleep()
  expect(await turn((t) => run(t, () => 5))).toBe(5)
  await sleep()
  expect(await turn((t) => run(t, never))).toBe(5)
  expect(await turn(({ sql }) => sql.exec('SELECT text FROM pairwire_pieces').toArray())).toEqual([{ text: 'text' }])
})
