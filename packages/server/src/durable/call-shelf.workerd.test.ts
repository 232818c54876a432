import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Publishing, Suspended } from '@pairwire/wire'
import { expect, it, vi } from 'vitest'
import { CallShelf } from './call-shelf.ts'
import { Shelf } from './shelf.ts'

let objects = 0

/** A shelf of calls on a real socket, and what is found there by one who wakes up. */
const inObject = (
  run: (place: { calls: CallShelf; write: { mock: { calls: unknown[] } }; wake(): Found; rows(): number }) => void,
): Promise<void> =>
  runInDurableObject(env.OBJECT.getByName(`call shelf ${++objects}`), (_object, ctx) => {
    const { 1: ws } = new WebSocketPair()
    ctx.acceptWebSocket(ws)
    const shelf = Shelf.make(ws, ctx.storage, 1)
    const calls = new CallShelf(shelf, () => {})
    shelf.set('h', { text: '' })
    const save = calls.save.bind(calls)
    calls.save = () => {
      save()
      shelf.save()
    }
    run({
      calls,
      write: vi.spyOn(ws, 'serializeAttachment'),
      rows: () =>
        ctx.storage.sql
          .exec<{ n: number }>("SELECT count(*) AS n FROM sqlite_master WHERE name = 'pairwire_pieces'")
          .one().n && ctx.storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM pairwire_pieces').one().n,
      wake() {
        const found = Shelf.find(ws, ctx.storage)!
        expect(found.shelf.broken).toBe(false)
        const started: Found['started'] = []
        const calls = new CallShelf(found.shelf, () => {})
        calls.restore(found.pieces, (id, suspended, began) => {
          const again = call(id, suspended.call)
          Object.assign(again, { unread: suspended.unread, unasked: suspended.unasked })
          again.record!.cursor = suspended.cursor
          started.push({ id, suspended, call: again })
          began(again)
        })
        return { calls, started, names: [...found.pieces.keys()], shelf: found.shelf }
      },
    })
  })
interface Found {
  readonly calls: CallShelf
  readonly started: { id: number; suspended: Suspended; call: Publishing }[]
  readonly names: string[]
  readonly shelf: Shelf
}

/** What is looked at of a call. */
const call = (id: number, message = `[2,${id},"path"]`): Publishing =>
  ({ id, record: { message, untracked: false }, unread: 0, unasked: 0, silent: false, released: false }) as Publishing

it('gives back each call as it stood', () =>
  inObject(({ calls, wake }) => {
    const [a, b, c] = [call(1), call(3), call(5, `[2,5,"${'五'.repeat(3_000)}"]`)]
    Object.assign(a, { unread: 70, unasked: 7, deadline: 12_345 })
    Object.assign(a.record!, { cursor: 'e.7' })
    Object.assign(b, { unread: 5, unasked: 5 })
    Object.assign(b.record!, { untracked: true })
    b.stream = { idle: () => false } as never
    Object.assign(c.record!, { bytes: new Uint8Array([1, 2]) })
    let at: string | undefined = 't.4'
    const places = calls.placesOf(c)
    places.stand('topic', () => at)
    places.stand('nowhere', () => undefined)
    for (const call of [c, a, b]) calls.changed(call)
    calls.save()
    at = 't.5'
    const { started } = wake()
    expect(started.map(({ id, suspended }) => [id, suspended])).toEqual([
      [
        1,
        {
          call: a.record!.message,
          bytes: undefined,
          cursor: 'e.7',
          unread: 70,
          unasked: 7,
          deadline: 12_345,
          untracked: false,
          busy: false,
        },
      ],
      [
        3,
        {
          call: b.record!.message,
          bytes: undefined,
          cursor: undefined,
          unread: 5,
          unasked: 5,
          deadline: undefined,
          untracked: true,
          busy: true,
        },
      ],
      [
        5,
        {
          call: c.record!.message,
          bytes: c.record!.bytes,
          cursor: undefined,
          unread: 0,
          unasked: 0,
          deadline: undefined,
          untracked: false,
          busy: false,
        },
      ],
    ])
    const [, , { call: again }] = started as [never, never, Found['started'][0]]
    expect(wake().calls.placesOf(again).take('topic')).toBeUndefined()
    const found = wake()
    const restored = found.calls.placesOf(found.started[2]!.call)
    expect([restored.take('topic'), restored.take('topic'), restored.take('nowhere')]).toEqual([
      't.4',
      undefined,
      undefined,
    ])
  }))

it('keeps a place that was not taken, and writes where it has moved', () =>
  inObject(({ calls, wake }) => {
    const one = call(1)
    let at = 't.1'
    calls.placesOf(one).stand('topic', () => at)
    calls.changed(one)
    calls.save()
    const second = wake()
    const again = second.started[0]!.call
    // It slept again before its handler had asked.
    second.calls.changed(again)
    second.calls.save()
    second.shelf.save()
    const third = wake()
    const last = third.started[0]!.call
    const places = third.calls.placesOf(last)
    expect(places.take('topic')).toBe('t.1')
    at = 't.2'
    places.stand('topic', () => at)
    third.calls.changed(last)
    third.calls.save()
    third.shelf.save()
    expect(wake().calls.placesOf(wake().started[0]!.call).take('topic')).toBeUndefined()
    const end = wake()
    expect(end.calls.placesOf(end.started[0]!.call).take('topic')).toBe('t.2')
    // With an id of its own it needs none.
    end.started[0]!.call.record!.cursor = 'e.1'
    end.calls.changed(end.started[0]!.call)
    end.calls.save()
    end.shelf.save()
    const over = wake()
    expect(over.calls.placesOf(over.started[0]!.call).take('topic')).toBeUndefined()
  }))

it('writes one attachment for what a thousand calls did in one turn, and starts each in the order of its id', () =>
  inObject(({ calls, wake, write, rows }) => {
    const all = Array.from({ length: 1_000 }, (_, n) => call(2 * n + 1))
    for (const one of [...all].reverse()) calls.changed(one)
    calls.save()
    expect(write.mock.calls.length).toBe(1)
    for (const one of all) {
      one.record!.cursor = `epoch.${one.id}`
      calls.changed(one)
    }
    calls.save()
    expect(write.mock.calls.length).toBe(2)
    const { started, calls: woken, shelf } = wake()
    expect(started.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
    expect(started.every(({ id, suspended }) => suspended.cursor === `epoch.${id}`)).toBe(true)
    // They end after a sleep, in any order, and nothing of them is left.
    for (const { call } of started.sort((a, b) => (a.id % 7) - (b.id % 7))) {
      call.silent = true
      woken.changed(call)
      if (call.id % 100 === 1) woken.save()
    }
    woken.save()
    shelf.save()
    expect([wake().names, rows()]).toEqual([['h'], 0])
  }))

it('takes the place of calls that have ended', () =>
  inObject(({ calls, wake }) => {
    const first = Array.from({ length: 64 }, (_, n) => call(n))
    for (const one of first) calls.changed(one)
    calls.save()
    for (const one of first.slice(0, 40)) {
      one.released = true
      calls.changed(one)
    }
    calls.save()
    for (let n = 100; n < 140; n++) calls.changed(call(n))
    calls.save()
    const { started, names } = wake()
    expect(started.map(({ id }) => id)).toEqual([
      ...first.slice(40).map(({ id }) => id),
      ...Array.from({ length: 40 }, (_, n) => 100 + n),
    ])
    expect(names.filter((name) => name[0] === 'd').sort()).toEqual(['d0', 'd1'])
  }))

it('keeps nothing of a call that ended before it was written down, nor of one that ends twice', () =>
  inObject(({ calls, wake }) => {
    const brief = call(1)
    calls.changed(brief)
    brief.silent = true
    calls.changed(brief)
    calls.save()
    brief.released = true
    calls.changed(brief)
    calls.save()
    expect(wake().names.filter((name) => name !== 'h')).toEqual([])
    const long = call(3)
    calls.changed(long)
    calls.save()
    for (const flag of ['silent', 'released'] as const) {
      long[flag] = true
      calls.changed(long)
      calls.save()
    }
    expect([wake().started, wake().names]).toEqual([[], ['h']])
  }))

it('tells a call from a later one of the same id', () =>
  inObject(({ calls, wake }) => {
    const earlier = call(1, '[2,1,"earlier"]')
    calls.changed(earlier)
    calls.save()
    // In one turn, whichever is heard of first, and also where the earlier one ends much later.
    earlier.silent = true
    const later = call(1, '[2,1,"later"]')
    calls.changed(later)
    calls.changed(earlier)
    calls.save()
    earlier.released = true
    calls.changed(earlier)
    calls.save()
    expect(wake().started.map(({ suspended }) => suspended.call)).toEqual(['[2,1,"later"]'])
    later.silent = true
    calls.changed(later)
    const last = call(1, '[2,1,"last"]')
    calls.changed(last)
    calls.save()
    expect(wake().started.map(({ suspended }) => suspended.call)).toEqual(['[2,1,"last"]'])
  }))
