import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openClient, openRaw, outcome, type Place } from './place.ts'

/** Values arrive as they left, and bytes cost what they are. */
export const values = (place: Place): void => {
  it('carries every rich type both ways', async () => {
    const { echo } = openClient(place)
    const error = Object.assign(new TypeError('no'), { cause: new Error('because') })
    const value = {
      nothing: undefined,
      null: null,
      date: new Date(1_700_000_000_123),
      invalid: new Date(Number.NaN),
      map: new Map<unknown, unknown>([
        [{ a: 1 }, new Set([1n, undefined])],
        ['b', new Map([[1, new Date(1)]])],
      ]),
      set: new Set([Number.NaN, 'x']),
      big: -12_345_678_901_234_567_890n,
      url: new URL('https://example.com/a?b=c#d'),
      nan: Number.NaN,
      infinite: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      regexp: /a\/b.[c]/giu,
      text: 'é漢😀\u0000\u2028',
      'a.b\\c': { '': new Date(0) },
      holes: [1, undefined, 3],
    }
    const back = (await echo(value)) as typeof value
    expect(back).toStrictEqual(value)
    expect(Object.hasOwn(back, 'nothing')).toBe(true)
    expect(Object.is(await echo(-0), -0)).toBe(true)
    expect(Object.is(((await echo([-0])) as number[])[0], -0)).toBe(true)
    const told = (await echo({ error })) as { error: Error }
    expect(told.error).toBeInstanceOf(Error)
    expect([told.error.name, told.error.message, (told.error.cause as Error).message]).toEqual([
      'TypeError',
      'no',
      'because',
    ])
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['nothing but a Date', new Date(7)],
    ['nothing but a BigInt', 5n],
    ['NaN', Number.NaN],
    ['the empty string', ''],
    ['zero', 0],
    ['false', false],
    ['the empty array', []],
    ['the empty object', {}],
    ['the empty bytes', new Uint8Array(0)],
    ['the empty Map', new Map()],
    ['half of a surrogate pair', '\ud800'],
  ])('carries %s as a whole value', async (_name, value) => {
    expect(await openClient(place).echo(value)).toStrictEqual(value)
  })

  it('carries bytes of every kind, wherever they stand', async () => {
    const buffer = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]).buffer
    const value = {
      part: new Uint8Array(buffer, 3, 4),
      list: [new Float64Array([1.5, Number.NaN]), new Int16Array([-1]), new BigUint64Array([2n ** 63n])],
      map: new Map([['b', new Uint8ClampedArray([255])]]),
      buffer: buffer.slice(1, 5),
      view: new DataView(buffer, 2, 3),
      after: new Date(9),
    }
    const back = (await openClient(place).echo(value)) as typeof value
    expect([...back.part]).toEqual([3, 4, 5, 6])
    expect(back.list).toStrictEqual(value.list)
    expect(back.map).toStrictEqual(value.map)
    expect(back.buffer).toBeInstanceOf(ArrayBuffer)
    expect([...new Uint8Array(back.buffer)]).toEqual([1, 2, 3, 4])
    expect(back.view).toBeInstanceOf(DataView)
    expect([back.view.byteLength, back.view.getUint8(0)]).toEqual([3, 2])
    expect(back.after).toEqual(new Date(9))
  })

  it('keeps the bytes of two calls of one tick apart', async () => {
    const { echo } = openClient(place)
    const got = await Promise.all([echo(new Uint8Array([1])), echo('text'), echo([new Uint8Array([2, 3])])])
    expect(got).toStrictEqual([new Uint8Array([1]), 'text', [new Uint8Array([2, 3])]])
  })

  it('sends what bytes were when the call was made, also if it waited for the socket', async () => {
    const client = openClient(place)
    const bytes = new Uint8Array([1, 2, 3])
    const early = client.echo(bytes)
    bytes.fill(9)
    expect(await early).toStrictEqual(new Uint8Array([1, 2, 3]))
    const late = client.echo(bytes)
    bytes.fill(7)
    expect(await late).toStrictEqual(new Uint8Array([9, 9, 9]))
  })

  it('keeps a key named __proto__ a key', async () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    value.date = new Date(1)
    const back = (await openClient(place).echo(value)) as Record<string, unknown>
    expect(Object.keys(back).sort()).toEqual(['__proto__', 'constructor', 'date'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  it('carries whatever fast-check comes up with', async () => {
    const { echo } = openClient(place)
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 5 })
    const property = fc.asyncProperty(anything, async (value) => {
      expect(await echo(value)).toEqual(value)
    })
    await fc.assert(property, { seed: 20261123, numRuns: 300 })
  })

  it.each([1_000_000, 1_048_576])('adds less than 200 bytes to %i bytes', async (size) => {
    const raw = await openRaw(place)
    await raw.until(([op]) => op === 1)
    const before = raw.frames.length
    const head = `[2,1,"echo",[0,${size}],null,[["bytes","Uint8Array"]]]`
    const frame = new Uint8Array(4 + head.length + size)
    new DataView(frame.buffer).setUint32(0, head.length)
    frame.set(new TextEncoder().encode(head), 4)
    frame[frame.length - 1] = 42
    raw.send(frame)
    expect(await raw.until(([op, id]) => op === 7 && id === 1)).toBeDefined()
    const answer = raw.frames.slice(before)
    expect(answer).toHaveLength(1)
    expect((answer[0] as Uint8Array).length).toBeGreaterThan(size)
    expect((answer[0] as Uint8Array).length).toBeLessThan(size + 200)
    expect((answer[0] as Uint8Array).at(-1)).toBe(42)
  })

  it('fails only the call whose input or output cannot be sent', async () => {
    const client = openClient(place)
    const beside = client.sleep(100)
    const circular: unknown[] = []
    circular.push(circular)
    let deep: unknown = 0
    for (let i = 0; i < 70; i++) deep = [deep]
    class Thing {
      a = 1
    }
    const inputs = [() => {}, Symbol('s'), new Thing(), [Promise.resolve()], circular, deep, new WeakMap()]
    for (const input of inputs) expect(await outcome(client.echo(input))).toEqual(['INVALID_ARGUMENT', 'no'])
    for (const input of ['x'.repeat(1_100_000), new Uint8Array(1_100_000)])
      expect(await outcome(client.echo(input))).toEqual(['INVALID_ARGUMENT', 'no'])
    const outputs = ['function', 'symbol', 'instance', 'promise', 'circular', 'deep', 'large', 'bytes', 'hostile']
    for (const name of outputs) {
      expect([name, ...(await outcome(client.outputs.odd(name)))]).toEqual([name, 'INTERNAL', 'yes'])
      const events: unknown[] = []
      const stream = (async () => {
        for await (const event of client.outputs.oddEvent(name)) events.push(event)
      })()
      expect([name, ...(await outcome(stream))]).toEqual([name, 'INTERNAL', 'yes'])
      expect(events).toEqual(['fine'])
    }
    expect(await beside).toBe('slept')
  })
}
