import { expect, it } from 'vitest'
import { binary, newKey, openClient, openRaw, type Place, sleep } from './place.ts'

/** What a client can send, and what comes of it: for this connection, and never for another. */
export const frames = (place: Place): void => {
  /** Sends to a connection that has said hello; tells what it was closed with, and that another one lives. */
  const closing = async (sent: unknown[], server = 'main') => {
    const raw = await openRaw(place, server)
    const other = await openRaw(place, server)
    await raw.until(([op]) => op === 1)
    for (const frame of sent) raw.send(frame)
    const closed = await raw.end(2_000)
    expect(await other.alive()).toBe(true)
    return closed?.code
  }

  const bad: [string, unknown][] = [
    ['garbage text', 'garbage'],
    ['an empty text', ''],
    ['half of a message', '[2,1,"add"'],
    ['a surrogate half, escaped', '"\\ud800"'],
    ['an empty array', '[]'],
    ['an object', '{}'],
    ['an object that looks like a batch', '{"0":[11],"length":1}'],
    ['null', 'null'],
    ['a number', '11'],
    ['a string', '"[11]"'],
    ['a batch of an empty array', '[[]]'],
    ['a batch of something else', '[[11],11]'],
    ['a batch in a batch', '[[[11]]]'],
    ['a nest of arrays', `${'['.repeat(500_000)}${']'.repeat(500_000)}`],
    ['an unknown op', [14, 1]],
    ['a welcome', [1, {}]],
    ['an op that is true', [true, 1, 'add']],
    ['a short call without an id', ['add']],
    ['an op that is null', [null]],
    ['a short call of __proto__ with an id of the other end', ['__proto__', 2]],
    ['a call without an id', [2]],
    ['an id of 0', [2, 0, 'add']],
    ['an id of -1', [2, -1, 'add']],
    ['an id of 1.5', [2, 1.5, 'add']],
    ['an id of the wrong parity', [2, 2, 'add']],
    ['an id of 2**53', `[2,${2 ** 53},"add"]`],
    ['an id of 2**53 + 1', '[2,9007199254740993,"add"]'],
    ['an id that is a string', [2, '1', 'add']],
    ['an id that is null', [2, null, 'add']],
    ['an id that is an array', [2, [1], 'add']],
    ['a path that is a number', [2, 1, 5]],
    ['a path that is missing', [2, 1]],
    ['a path that is an array', [2, 1, ['add']]],
    ['options that are a string', [2, 1, 'add', { a: 1, b: 2 }, 'x']],
    ['options that are a number', [2, 1, 'add', { a: 1, b: 2 }, 5]],
    ['a credit of nothing', [6, 1]],
    ['a credit of a string', [6, 1, '5']],
    ['a credit of 1.5', [6, 1, 1.5]],
    ['a credit of null', [6, 1, null]],
    ['a result for its own call', [7, 1, 5]],
    ['an error for its own call', [8, 1, {}]],
    ['an event for its own call', [9, 1, 5]],
    ['a done for its own call', [10, 1]],
    ['a cancel of the server’s call', [3, 2]],
    ['an item for the server’s call', [4, 2, 1]],
    ['an end for the server’s call', [5, 2]],
    ['too many messages in a batch', `[${'[11],'.repeat(1_000)}[11]]`],
    ['an empty binary frame', new Uint8Array(0)],
    ['a short binary frame', new Uint8Array(3)],
    ['garbage in binary', new Uint8Array(64).fill(0xff)],
    ['a binary frame whose header is longer than it', new Uint8Array([0, 0, 1, 0, 91, 93])],
    ['a binary frame whose header is no UTF-8', new Uint8Array([0, 0, 0, 2, 0xc3, 0x28])],
    ['a binary frame whose header is no JSON', new Uint8Array([0, 0, 0, 1, 91])],
  ]
  it.each(bad)('closes with 4000 at %s', async (_name, frame) => {
    expect(await closing([frame])).toBe(4000)
  })

  it('closes with 4002 at an id that is in flight, and takes one again that is not', async () => {
    expect(
      await closing([
        [2, 1, 'wait', newKey()],
        [2, 1, 'add', { a: 1, b: 2 }],
      ]),
    ).toBe(4002)
    const raw = await openRaw(place)
    for (let i = 1; i <= 3; i++) {
      raw.send([2, 1, 'add', { a: i, b: 0 }])
      expect(await raw.until(([op, , value]) => op === 7 && value === i)).toBeDefined()
    }
  })

  it('closes with 4005 at a second hello', async () => {
    expect(await closing([[0, 1, '', {}]])).toBe(4005)
  })

  it('closes with 4004 at a frame that is too large, be it text or binary', async () => {
    expect(await closing(['x'.repeat(2_300_000)])).toBe(4004)
    expect(await closing([new Uint8Array(4_300_000)])).toBe(4004)
    expect(await closing(['x'.repeat(80_000)], 'tight')).toBe(4004)
  })

  it('closes with 4000 at anything but hello, and 4001 at another version of it', async () => {
    const first: [unknown, number][] = [
      [[2, 1, 'add', { a: 1, b: 2 }], 4000],
      [[12], 4000],
      ['x', 4000],
      [[0, 1, '', 'options'], 4000],
      [[0, 1, '', 5], 4000],
      [[0, 1, '', { params: { a: 'x' } }, { 'params.a': ['Nonsense'] }], 4000],
      [[0, 2, '', {}], 4001],
      [[0], 4001],
      [[0, '1', '', {}], 4001],
      [[0, null], 4001],
    ]
    for (const [frame, code] of first) {
      const raw = await openRaw(place, 'main', { hello: false })
      raw.send(frame)
      expect([frame, (await raw.end())?.code]).toEqual([frame, code])
    }
  })

  it('closes with 4000 at a ping before hello', async () => {
    const raw = await openRaw(place, 'main', { hello: false })
    raw.send('[11]')
    // The platform does not know what a hello is.
    if (place.hibernates) expect(await raw.until(([op]) => op === 12)).toEqual([12])
    else expect(await raw.end()).toMatchObject({ code: 4000 })
  })

  it('closes with 4105 where no hello comes', async () => {
    const raw = await openRaw(place, 'tight', { hello: false })
    if (place.hibernates) {
      // At the next event, since a timer would cost.
      await sleep(250)
      expect(raw.closed).toBeUndefined()
      await openRaw(place, 'tight')
    }
    expect(await raw.end()).toMatchObject({ code: 4105 })
  })

  it('bears any options of a hello', async () => {
    const hellos: unknown[] = [
      { timeout: -1, window: -1 },
      { timeout: 'x', window: 'x', codec: 'x' },
      { timeout: null, window: null, codec: null, params: null },
      { timeout: {}, window: [], codec: {}, constructor: 1 },
      { window: 1e308, timeout: 1e308 },
      { window: 1e-9 },
      [],
    ]
    for (const hello of hellos) {
      const raw = await openRaw(place, 'main', { hello })
      expect(await raw.until(([op]) => op === 1)).toBeDefined()
      // What the caller says of its calls' time it also gets.
      raw.send([2, 1, 'add', { a: 1, b: 2 }, { timeout: 1_000 }])
      expect(await raw.until(([, id]) => id === 1)).toEqual([7, 1, 3])
      raw.send([2, 3, 'count', 3])
      await raw.until(([op, id]) => op > 6 && id === 3, 100)
      expect(raw.closed).toBeUndefined()
    }
    expect(await (await openRaw(place)).alive()).toBe(true)
  })

  it('bears any options of a call', async () => {
    const raw = await openRaw(place)
    const timeoutOf = (option: object | null) => (option as { timeout?: never } | null)?.timeout as never
    const options: (object | null)[] = [
      null,
      [],
      {},
      { timeout: -5 },
      { timeout: 0 },
      { timeout: '50' },
      { timeout: 'x' },
      { timeout: 1e308 },
      { timeout: null },
      { metadata: null },
      { metadata: 'x' },
      { metadata: { a: 1, b: {}, __proto__: { polluted: 'yes' } } },
      { metadata: [1, 2] },
      { lastEventId: {} },
      { window: -1, lastEventId: 5 },
      JSON.parse('{"__proto__":{"timeout":1},"metadata":{"__proto__":"x","constructor":"y"}}'),
    ]
    for (const [i, option] of options.entries()) {
      raw.send([2, 4 * i + 1, 'metadata', null, option, ['undefined']])
      raw.send([2, 4 * i + 3, 'resumed', null, option, ['undefined']])
      const answer = await raw.until(([op, id]) => (op === 7 || op === 8) && id === 4 * i + 1)
      expect([option, answer?.[0] === 7 || (answer?.[2] as { code?: string } | undefined)?.code]).toEqual([
        option,
        [-5, 0].includes(timeoutOf(option)) ? 'DEADLINE_EXCEEDED' : true,
      ])
    }
    expect(await raw.alive()).toBe(true)
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('ignores what is about calls it does not know', async () => {
    const raw = await openRaw(place)
    raw.send([
      [3, 7],
      [4, 7, 1],
      [5, 7],
      [5, 7, { code: 'x' }],
      [6, 7, 5],
      [6, 7, -5],
      [6, 8, 5],
      [6, 8, -5],
    ])
    raw.send([[7, 8, 1], [8, 8, {}], [9, 8, 1], [10, 8], [12], [13, {}]])
    expect(await raw.alive()).toBe(true)
    // Also of those that have ended, and of streams that a procedure does not have.
    raw.send([
      [2, 1, 'add', { a: 1, b: 2 }],
      [4, 1, 1],
      [5, 1],
      [3, 1],
      [3, 1],
      [6, 1, 9],
    ])
    raw.send([
      [2, 3, 'wait', newKey()],
      [4, 3, 1],
      [6, 3, 9],
      [6, 3, -9],
      [5, 3],
      [3, 3],
      [3, 3],
    ])
    expect(await raw.alive()).toBe(true)
  })

  it('answers pings', async () => {
    const raw = await openRaw(place)
    await raw.until(([op]) => op === 1)
    raw.send('[11]')
    await raw.until(([op]) => op === 12)
    expect(raw.frames.at(-1)).toBe('[12]')
  })

  it('refuses a value that is too deep, and lives', async () => {
    const raw = await openRaw(place)
    raw.send(`[2,1,"echo",${'['.repeat(65)}${']'.repeat(65)}]`)
    expect((await raw.until(([, id]) => id === 1))?.[2]).toMatchObject({ code: 'INVALID_ARGUMENT', executed: 'no' })
    raw.send(`[2,3,"echo",${'{"a":'.repeat(65)}1${'}'.repeat(65)}]`)
    expect((await raw.until(([, id]) => id === 3))?.[2]).toMatchObject({ code: 'INVALID_ARGUMENT', executed: 'no' })
    raw.send(`[2,5,"echo",${'['.repeat(64)}${']'.repeat(64)}]`)
    expect((await raw.until(([, id]) => id === 5))?.[0]).toBe(7)
    expect(await raw.alive()).toBe(true)
  })

  it('refuses a path that is too long, and lives', async () => {
    const raw = await openRaw(place)
    raw.send([2, 1, 'x'.repeat(257)])
    expect((await raw.until(([, id]) => id === 1))?.[2]).toMatchObject({ code: 'INVALID_ARGUMENT' })
    raw.send([2, 3, 'x'.repeat(256)])
    expect((await raw.until(([, id]) => id === 3))?.[2]).toMatchObject({ code: 'NOT_FOUND' })
    expect(await raw.alive()).toBe(true)
  })

  it('refuses the 257th call and the 129th subscription at once, and goes on with the others', async () => {
    const raw = await openRaw(place)
    const key = newKey()
    await raw.until(([op]) => op === 1)
    for (let i = 0; i < 256; i++) raw.send([2, 2 * i + 1, 'wait', key])
    raw.send([2, 601, 'wait', key])
    expect((await raw.until(([, id]) => id === 601))?.[2]).toMatchObject({ code: 'RESOURCE_EXHAUSTED', executed: 'no' })
    for (let i = 0; i < 128; i++) raw.send([2, 1_001 + 2 * i, 'open', key])
    raw.send([2, 2_001, 'open', key])
    expect((await raw.until(([, id]) => id === 2_001))?.[2]).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    await raw.until(([op, id]) => op === 9 && id === 1_001 + 2 * 127)
    // Those that run are heard, and one that ends makes room for another.
    raw.send([3, 1])
    await sleep(50)
    expect(await raw.alive()).toBe(true)
    expect(raw.messages.filter(([op, id]) => op === 8 && id < 600)).toHaveLength(0)
    expect(await (await openRaw(place)).alive()).toBe(true)
  })

  const marks: [string, unknown, unknown][] = [
    ['a path through __proto__', { a: 1 }, { '__proto__.polluted': ['undefined'] }],
    ['a path to __proto__', {}, JSON.parse('{"__proto__":["map"]}')],
    ['a path through constructor', { a: 1 }, { 'constructor.prototype.polluted': ['undefined'] }],
    ['a path to constructor', { a: 1 }, { constructor: ['set'] }],
    ['the length of an array', [1], { length: ['undefined'] }],
    ['a hole of an array', [1], { 5: ['undefined'] }],
    ['a negative index', [1], { '-1': ['undefined'] }],
    ['a path that is not there', { a: 1 }, { b: ['Date'] }],
    ['a path into a string', { a: 'text' }, { 'a.0': ['undefined'] }],
    ['a path into null', { a: null }, { 'a.b': ['undefined'] }],
    ['an unknown type', { a: 'x' }, { a: ['Function'] }],
    ['the type __proto__', { a: 'x' }, { a: ['__proto__'] }],
    ['a map of no entries', { a: 5 }, { a: ['map'] }],
    ['a map of a string', { a: 'ab' }, { a: ['map'] }],
    ['a set of a number', { a: 5 }, { a: ['set'] }],
    ['a Date of an object', { a: {} }, { a: ['Date'] }],
    ['a bigint of letters', { a: 'x' }, { a: ['bigint'] }],
    ['a bigint of a million digits', { a: '9'.repeat(1_000_000) }, { a: ['bigint'] }],
    ['a URL that is none', { a: 'x' }, { a: ['URL'] }],
    ['a regexp that is none', { a: '/(/' }, { a: ['regexp'] }],
    ['a regexp with odd flags', { a: '/a/zz' }, { a: ['regexp'] }],
    ['a nest of groups', { a: `/${'('.repeat(100_000)}/` }, { a: ['regexp'] }],
    ['an Error of null', { a: null }, { a: ['Error'] }],
    ['an Error of odd fields', { a: { name: { toString: null, valueOf: null }, message: 1 } }, { a: ['Error'] }],
    ['bytes in a text frame', { a: [0, 5] }, { a: [['bytes', 'Uint8Array']] }],
    ['marks that are a string', {}, 'undefined'],
    ['marks that are a number', {}, 5],
    ['marks that are null', {}, null],
    ['marks nested too deep', {}, JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`)],
    ['a mark of null', { a: 1 }, { a: [null] }],
  ]
  it.each(marks)('refuses marks: %s', async (_name, value, mark) => {
    const raw = await openRaw(place)
    raw.send([2, 1, 'echo', value, null, mark])
    expect((await raw.until(([op, id]) => op > 6 && id === 1))?.[2]).toMatchObject({
      code: 'INVALID_ARGUMENT',
      executed: 'no',
    })
    expect(await raw.alive()).toBe(true)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  const parts: [string, unknown, string][] = [
    ['beyond the end', [0, 9], 'Uint8Array'],
    ['before the start', [-1, 2], 'Uint8Array'],
    ['of no numbers', ['a', 'b'], 'Uint8Array'],
    ['of a fraction', [0.5, 9.5], 'Uint8Array'],
    ['of a length that does not fit', [0, 3], 'Float64Array'],
    ['of another kind', [0, 4], 'Function'],
    ['of the kind __proto__', [0, 4], '__proto__'],
    ['that is no part', null, 'Uint8Array'],
  ]
  it.each(parts)('refuses a part of its bytes %s', async (_name, part, kind) => {
    const raw = await openRaw(place)
    const text = JSON.stringify([2, 1, 'echo', part, null, [['bytes', kind]]])
    raw.send(binary(text, new Uint8Array([1, 2, 3, 4])))
    expect((await raw.until(([op, id]) => op > 6 && id === 1))?.[2]).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await raw.alive()).toBe(true)
  })

  it('keeps prototype keys in every place keys', async () => {
    const raw = await openRaw(place)
    const evil =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":1}'
    raw.send(`[2,1,"echo",${evil}]`)
    raw.send(`[2,3,"add",${evil}]`)
    raw.send(`[2,5,"add",{"a":1,"b":2},${evil}]`)
    raw.send(`[2,7,"first",null,null,["undefined"]]`)
    raw.send(`[4,7,${evil}]`)
    expect((await raw.until(([, id]) => id === 1))?.[0]).toBe(7)
    expect((await raw.until(([, id]) => id === 3))?.[2]).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await raw.until(([, id]) => id === 5)).toEqual([7, 5, 3])
    expect((await raw.until(([, id]) => id === 7))?.[0]).toBe(7)
    raw.send('[2,9,"add",{"a":1,"b":2}]')
    expect(await raw.alive()).toBe(true)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('ends an input stream with an error of any shape', async () => {
    const raw = await openRaw(place)
    for (const [i, error] of [null, 5, 'x', [], {}, { code: 5, message: {} }].entries()) {
      const id = 2 * i + 1
      raw.send([2, id, 'upload', newKey()])
      raw.send([5, id, error])
      expect((await raw.until(([op, of]) => op === 8 && of === id))?.[2]).toMatchObject({ code: 'ABORTED' })
    }
    expect(await raw.alive()).toBe(true)
  })

  it('holds 64 messages while it authenticates, in order, and closes with 4101 at one more', async () => {
    const raw = await openRaw(place, 'auth', { hello: { params: { wait: 100 } } })
    const key = newKey()
    for (let n = 0; n < 64; n++) raw.send([2, 2 * n + 1, 'order', { key, n }])
    expect(await raw.until(([op, id]) => op === 7 && id === 127)).toBeDefined()
    expect(raw.messages[0]?.[0]).toBe(1)
    expect(await openClient(place).witness.of(key)).toEqual(Array.from({ length: 64 }, (_, n) => n))
    const flood = await openRaw(place, 'auth', { hello: { params: { wait: 300 } } })
    for (let n = 0; n < 65; n++) flood.send([2, 2 * n + 1, 'add', { a: 1, b: 2 }])
    expect(await flood.end()).toMatchObject({ code: 4101 })
    const heavy = await openRaw(place, 'auth', { hello: { params: { wait: 300 } } })
    for (let n = 0; n < 3; n++) heavy.send([2, 2 * n + 1, 'echo', 'x'.repeat(1_000_000)])
    expect(await heavy.end()).toMatchObject({ code: 4101 })
  })

  it('runs nothing of a connection that is refused', async () => {
    const key = newKey()
    const raw = await openRaw(place, 'auth', { hello: { params: { act: 'denied', wait: 30 } } })
    raw.send([2, 1, 'order', { key, n: 1 }])
    expect(await raw.end()).toMatchObject({ code: 4003 })
    await sleep(20)
    expect(await openClient(place).witness.of(key)).toEqual([])
    expect(raw.messages).toEqual([])
  })
}
