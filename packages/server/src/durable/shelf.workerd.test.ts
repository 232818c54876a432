import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it, vi } from 'vitest'
import { clearShelves, lastShelf, type Piece, Shelf } from './shelf.ts'

interface Place {
  readonly ctx: DurableObjectState
  readonly storage: DurableObjectStorage
  /** A real socket that hibernates. */
  socket(): WebSocket
}

let objects = 0
const inObject = <T>(run: (place: Place) => T | Promise<T>): Promise<T> =>
  runInDurableObject(env.OBJECT.getByName(`shelf ${++objects}`), (_object, ctx) =>
    run({
      ctx,
      storage: ctx.storage,
      socket() {
        const { 1: ws } = new WebSocketPair()
        ctx.acceptWebSocket(ws)
        return ws
      },
    }),
  )
const rows = ({ sql }: DurableObjectStorage) => {
  const text = (value: unknown) => String(value)
  return sql
    .exec('SELECT socket, name FROM pairwire_pieces ORDER BY socket, name')
    .toArray()
    .map(({ socket, name }) => `${text(socket)} ${text(name)}`)
}
const found = (ws: WebSocket, storage: DurableObjectStorage) => {
  const { shelf, pieces } = Shelf.find(ws, storage)!
  return { shelf, broken: shelf.broken, pieces: Object.fromEntries([...pieces].sort()) }
}
const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value)
const WIDE = '五'

it('gives back what was put there, and nothing where there is no shelf', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    expect(Shelf.find(ws, storage)).toBeUndefined()
    const shelf = Shelf.make(ws, storage, 5)
    const pieces: Record<string, Piece> = {
      h: { text: 'head', bytes: bytes(9) },
      c1: { text: WIDE, bytes: undefined },
      c3: { text: '', bytes: bytes(0) },
      d0: { text: '\ud800\u0000"', bytes: undefined },
    }
    for (const [name, piece] of Object.entries(pieces)) shelf.set(name, piece)
    expect(Shelf.find(ws, storage)).toBeUndefined()
    shelf.save()
    expect(found(ws, storage)).toMatchObject({ broken: false, pieces, shelf: { key: 5 } })
    shelf.set('c1', undefined)
    shelf.set('nothing', undefined)
    shelf.set('d0', { text: 'other' })
    shelf.save()
    expect(found(ws, storage).pieces).toEqual({ c3: pieces.c3, h: pieces.h, d0: { text: 'other', bytes: undefined } })
    shelf.clear()
    expect(Shelf.find(ws, storage)).toBeUndefined()
    for (const other of [null, 5, 'v', {}, { v: 1 }, { v: 2, pieces: [] }, { v: 1, pieces: 'x' }]) {
      ws.serializeAttachment(other)
      expect(Shelf.find(ws, storage)).toBeUndefined()
    }
  }))

it('writes an attachment only where something has changed', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    const write = vi.spyOn(ws, 'serializeAttachment')
    const shelf = Shelf.make(ws, storage, 1)
    shelf.set('h', { text: 'a', bytes: bytes(1) })
    shelf.set('d0', { text: 'b' })
    shelf.save()
    shelf.save()
    shelf.set('d0', { text: 'b' })
    shelf.save()
    expect(write).toHaveBeenCalledTimes(1)
    shelf.set('d0', { text: 'c' })
    shelf.set('d0', { text: 'd' })
    shelf.save()
    expect(write).toHaveBeenCalledTimes(2)
    // What lies in rows changes there alone.
    shelf.set('c1', { text: 'x'.repeat(9_000) })
    shelf.save()
    shelf.set('c1', { text: 'y'.repeat(9_000) })
    shelf.save()
    expect(write).toHaveBeenCalledTimes(3)
    expect(found(ws, storage).pieces.c1?.text[0]).toBe('y')
  }))

it('moves to rows what an attachment has no room for, and never asks the platform for more than it takes', () =>
  inObject(({ storage, socket }) => {
    for (const text of ['x', 'é', WIDE, '\ud83d\ude00'])
      for (const withBytes of [false, true])
        for (const kind of ['h', 'c', 'd', 'r', 's', 'f', 'p', 'w']) {
          const ws = socket()
          const write = vi.spyOn(ws, 'serializeAttachment')
          const shelf = Shelf.make(ws, storage, ++objects)
          const expected: Record<string, Piece> = {}
          for (let n = 0; n < 60; n++) {
            const piece = { text: text.repeat(n * 4), bytes: withBytes ? bytes(n * 3) : undefined }
            expected[`${kind}${n}`] = piece
            shelf.set(`${kind}${n}`, piece)
            shelf.save()
          }
          // Filled to the brim from the other kinds.
          for (const other of 'hcdrsfpw')
            for (let size = 4_096; size; size >>= 1) {
              const piece = { text: text.repeat(size / text.length), bytes: undefined }
              expected[`${other}+${size}`] = piece
              shelf.set(`${other}+${size}`, piece)
            }
          shelf.save()
          expect(write.mock.results.filter(({ type }) => type === 'throw')).toEqual([])
          const { broken, pieces } = found(ws, storage)
          expect(broken).toBe(false)
          expect(Object.keys(pieces).sort()).toEqual(Object.keys(expected).sort())
          for (const [name, { text, bytes }] of Object.entries(expected)) {
            expect(pieces[name]!.text).toBe(text.toWellFormed())
            expect(pieces[name]!.bytes).toEqual(bytes)
          }
          shelf.clear()
        }
    expect(rows(storage)).toEqual([])
  }))

it('leaves in a row what was too large once, until it is taken away', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    const shelf = Shelf.make(ws, storage, 3)
    shelf.set('c1', { text: 'x'.repeat(9_000) })
    shelf.save()
    shelf.set('c1', { text: 'small' })
    shelf.save()
    expect(rows(storage)).toEqual(['3 c1'])
    // In one turn away and there again.
    shelf.set('c1', undefined)
    shelf.set('c1', { text: 'new', bytes: bytes(2) })
    shelf.save()
    expect(rows(storage)).toEqual([])
    expect(found(ws, storage).pieces).toEqual({ c1: { text: 'new', bytes: bytes(2) } })
    shelf.set('c1', { text: 'x'.repeat(9_000) })
    shelf.set('c1', undefined)
    shelf.save()
    expect([found(ws, storage).pieces, rows(storage)]).toEqual([{}, []])
    expect(found(ws, storage).broken).toBe(false)
  }))

it('goes on where it was found', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    const first = Shelf.make(ws, storage, 3)
    first.set('c1', { text: 'x'.repeat(9_000) })
    first.set('c3', { text: 'small', bytes: bytes(3) })
    first.save()
    const { shelf } = Shelf.find(ws, storage)!
    const write = vi.spyOn(ws, 'serializeAttachment')
    shelf.save()
    shelf.set('c3', { text: 'small', bytes: Shelf.find(ws, storage)!.pieces.get('c3')!.bytes })
    shelf.set('c1', undefined)
    shelf.set('c3', undefined)
    shelf.save()
    expect(write).toHaveBeenCalledTimes(1)
    expect([found(ws, storage).pieces, rows(storage)]).toEqual([{}, []])
  }))

it('knows that it is broken where its rows are gone', () =>
  inObject(async ({ storage, socket }) => {
    const [large, small] = [socket(), socket()]
    const shelf = Shelf.make(large, storage, 1)
    for (const name of ['c1', 'c3']) shelf.set(name, { text: 'x'.repeat(9_000) })
    shelf.save()
    const other = Shelf.make(small, storage, 2)
    other.set('h', { text: 'small' })
    other.save()
    expect(found(large, storage).broken).toBe(false)
    storage.sql.exec("DELETE FROM pairwire_pieces WHERE name = 'c1'")
    expect(found(large, storage).broken).toBe(true)
    await storage.deleteAll()
    expect([found(large, storage).broken, found(small, storage).broken]).toEqual([true, false])
    // One that goes on all the same writes what it is told, and is whole again when all of that is.
    shelf.set('c1', { text: 'y'.repeat(9_000) })
    shelf.save()
    expect(found(large, storage).broken).toBe(true)
    shelf.set('c3', undefined)
    shelf.save()
    expect(found(large, storage).broken).toBe(false)
    shelf.clear()
    expect(rows(storage)).toEqual([])
  }))

it('puts all in rows where the platform refuses an attachment, and says so where it refuses that as well', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    const write = vi.spyOn(ws, 'serializeAttachment')
    write.mockImplementationOnce(() => {
      throw new Error('too large')
    })
    const shelf = Shelf.make(ws, storage, 4)
    const pieces = { c1: { text: 'one', bytes: bytes(2) }, h: { text: 'head', bytes: undefined } }
    for (const [name, piece] of Object.entries(pieces)) shelf.set(name, piece)
    shelf.save()
    expect(rows(storage)).toEqual(['4 c1', '4 h'])
    expect(found(ws, storage)).toMatchObject({ broken: false, pieces })
    shelf.set('h', { text: 'other' })
    shelf.set('d0', { text: 'in the attachment' })
    shelf.save()
    expect(found(ws, storage).pieces).toMatchObject({ h: { text: 'other' }, d0: { text: 'in the attachment' } })
    write.mockImplementation(() => {
      throw new Error('broken')
    })
    shelf.set('d0', { text: 'x' })
    expect(() => shelf.save()).toThrow('broken')
  }))

it('clears what belongs to sockets that are there no more, and no more than that', () =>
  inObject(({ storage, socket }) => {
    clearShelves(storage, () => false)
    expect(lastShelf(storage)).toBe(0)
    const shelves = [1, 2, 7].map((key) => {
      const ws = socket()
      const shelf = Shelf.make(ws, storage, key)
      for (const name of ['c1', 'c3']) shelf.set(name, { text: 'x'.repeat(9_000) })
      shelf.save()
      return ws
    })
    expect(lastShelf(storage)).toBe(7)
    const asked: number[] = []
    clearShelves(storage, (key) => asked.push(key) > 0 && key === 2)
    expect(asked).toEqual([1, 2, 7])
    expect(rows(storage)).toEqual(['2 c1', '2 c3'])
    expect(shelves.map((ws) => found(ws, storage).broken)).toEqual([true, false, true])
  }))

it('parts what is larger than a row may be', () =>
  inObject(({ storage, socket }) => {
    const ws = socket()
    const shelf = Shelf.make(ws, storage, 1)
    const largest = () =>
      storage.sql
        .exec<{ n: number }>(
          'SELECT max(length(CAST(text AS BLOB)) + coalesce(length(bytes), 0)) AS n FROM pairwire_pieces',
        )
        .one().n
    const pieces: Record<string, Piece> = {
      c1: { text: WIDE.repeat(1_000_000), bytes: undefined },
      c11: { text: 'next to it', bytes: bytes(9_000) },
      c3: { text: `x${'\ud83d\ude00'.repeat(500_000)}`, bytes: bytes(3_000_000) },
      r5: { text: '', bytes: bytes(1_000_001, 9) },
    }
    for (const [name, piece] of Object.entries(pieces)) shelf.set(name, piece)
    shelf.save()
    expect(largest()).toBeLessThan(2_000_000)
    expect(found(ws, storage)).toMatchObject({ broken: false })
    for (const [name, piece] of Object.entries(pieces)) {
      const { text, bytes } = found(ws, storage).pieces[name]!
      expect([name, text === piece.text, bytes?.length]).toEqual([name, true, piece.bytes?.length])
      expect(bytes?.every((byte, i) => byte === piece.bytes![i])).toBe(piece.bytes ? true : undefined)
    }
    // Smaller again, larger again, and away: nothing is left of it, and nothing of its neighbours is taken.
    const { shelf: again } = Shelf.find(ws, storage)!
    for (const text of ['y', 'y'.repeat(400_000), 'z'.repeat(200_000), undefined]) {
      again.set('c1', text === undefined ? undefined : { text })
      again.save()
      expect(found(ws, storage).pieces.c1?.text).toBe(text)
      expect([found(ws, storage).broken, found(ws, storage).pieces.c11?.text]).toEqual([false, 'next to it'])
    }
    for (const name of ['c11', 'c3', 'r5']) again.set(name, undefined)
    again.save()
    expect([rows(storage), found(ws, storage).pieces]).toEqual([[], {}])
  }))
