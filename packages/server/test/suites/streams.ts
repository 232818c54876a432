import { expect, it } from 'vitest'
import { errorOf, eventually, newKey, openClient, openRaw, outcome, type Place, sleep } from './place.ts'

/** What holds for streams of events and of input, whichever way. */
export const streams = (place: Place): void => {
  it('delivers every event once, in order, to for await and to callbacks', async () => {
    const client = openClient(place)
    const iterated: number[] = []
    for await (const n of client.count(3_000)) iterated.push(n)
    const called: number[] = []
    await new Promise<void>((onDone) => {
      client.count(3_000).subscribe({ onData: (n) => called.push(n), onDone })
    })
    const expected = Array.from({ length: 3_000 }, (_, n) => n)
    expect(iterated).toEqual(expected)
    expect(called).toEqual(expected)
  })

  it('lets the next event wait for what onData returns', async () => {
    const order: string[] = []
    await new Promise<void>((onDone) => {
      openClient(place)
        .count(3)
        .subscribe({
          async onData(n) {
            order.push(`${n} in`)
            await sleep(5)
            order.push(`${n} out`)
          },
          onDone,
        })
    })
    expect(order).toEqual(['0 in', '0 out', '1 in', '1 out', '2 in', '2 out'])
  })

  it.each(['break', 'return', 'stop', 'abort'])('runs the finally of a generator that was left by %s', async (way) => {
    const client = openClient(place)
    for (const procedure of [client.open, client.topic]) {
      const key = newKey()
      const controller = new AbortController()
      const call = procedure(key, { signal: controller.signal })
      if (way === 'stop' || way === 'abort') {
        const stop = call.subscribe({ onError() {} })
        await client.nothing()
        if (way === 'stop') stop()
        else controller.abort()
      } else if (procedure === client.open && way === 'break') {
        for await (const _ of client.open(key)) break
      } else {
        const iterator = call[Symbol.asyncIterator]()
        const next = iterator.next()
        await client.nothing()
        await iterator.return?.()
        await next
      }
      expect(
        await eventually(
          () => client.witness.of(key),
          (seen) => seen.length > 0,
        ),
      ).toEqual(['finally'])
    }
  })

  it('publishes to those who subscribe, and not to those who left', async () => {
    const client = openClient(place)
    const key = newKey()
    const got: string[][] = [[], []]
    const stops = got.map((list) => client.topic(key).subscribe({ onData: (text) => list.push(text) }))
    await client.publish({ key, text: 'one' })
    await eventually(
      () => got[1]!.length,
      (n) => n > 0,
    )
    stops[0]!()
    await client.publish({ key, text: 'two' })
    await eventually(
      () => got[1]!.length,
      (n) => n > 1,
    )
    expect(got).toEqual([['one'], ['one', 'two']])
    stops[1]!()
  })

  it('tells events with ids from those without, and hands the last id back', async () => {
    const client = openClient(place)
    const events: unknown[] = []
    for await (const event of client.tracked()) events.push(event)
    expect(events).toEqual(['one', undefined, new Date(3), 'plain'])
    for await (const id of client.resumed(undefined, { lastEventId: 'a.2' })) expect(id).toBe('a.2')
  })

  it('sends no more than a window to a reader that stops, while calls go on', async () => {
    const client = openClient(place)
    const key = newKey()
    const iterator = client.blocks({ key, size: 65_536, n: 100 })[Symbol.asyncIterator]()
    await iterator.next()
    await sleep(150)
    for (let i = 0; i < 5; i++) expect(await client.add({ a: i, b: 1 })).toBe(i + 1)
    const made = (await client.witness.of(key)).length
    expect(made).toBeGreaterThanOrEqual(4)
    expect(made).toBeLessThanOrEqual(8)
    // Reading on, it gets the rest.
    let read = 1
    const rest = async () => {
      for (; !(await iterator.next()).done; read++);
    }
    const end = await outcome(rest())
    // What a generator without ids had not sent is gone when it was evicted at a full window; that is said, and nothing is skipped.
    expect([...end, read]).toEqual(place.evicts ? ['DATA_LOSS', 'no', 4] : ['ok', undefined, 100])
  })

  it('keeps to the window that a client asks for', async () => {
    const client = openClient(place, 'main', { window: 10_000 })
    const key = newKey()
    const iterator = client.blocks({ key, size: 1_000, n: 1_000 })[Symbol.asyncIterator]()
    await iterator.next()
    await sleep(100)
    expect((await client.witness.of(key)).length).toBeLessThanOrEqual(18)
    await iterator.return?.()
  })

  it('carries an input stream, of more than a window', async () => {
    const client = openClient(place)
    const chunks = function* () {
      for (let i = 0; i < 20; i++) yield new Uint8Array(100_000)
    }
    expect(await client.upload(newKey(), { stream: chunks() })).toBe(2_000_000)
    const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(new Uint8Array(3))
        controller.close()
      },
    })
    expect(await client.upload(newKey(), { stream: readable })).toBe(3)
    expect(await client.upload(newKey(), { stream: [] })).toBe(0)
  })

  it('reads no more than a window of an upload whose handler stops, while calls go on', async () => {
    const client = openClient(place)
    const key = newKey()
    let made = 0
    let left = false
    const chunks = async function* () {
      try {
        for (;;) {
          made++
          yield 'x'.repeat(65_536)
        }
      } finally {
        left = true
      }
    }
    const controller = new AbortController()
    const call = outcome(client.stall(key, { stream: chunks(), signal: controller.signal }))
    await eventually(
      () => client.witness.of(key),
      (seen) => seen.length > 0,
    )
    await sleep(100)
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    expect(made).toBeGreaterThanOrEqual(4)
    expect(made).toBeLessThanOrEqual(8)
    controller.abort()
    expect(await call).toEqual(['CANCELLED', 'unknown'])
    await eventually(() => left, Boolean)
    expect(left).toBe(true)
  })

  it('leaves the source of an input stream when the call is answered early', async () => {
    let left = false
    const endless = async function* () {
      try {
        for (let i = 0; ; i++) {
          yield i
          await sleep(1)
        }
      } finally {
        left = true
      }
    }
    expect(await openClient(place).first(undefined, { stream: endless() })).toBe(0)
    await eventually(() => left, Boolean)
    expect(left).toBe(true)
  })

  it('streams both ways at once', async () => {
    const said: string[] = []
    for await (const line of openClient(place).talk(undefined, { stream: ['a', 'b', 'c'] })) said.push(line)
    expect(said).toEqual(['A', 'B', 'C'])
  })

  it('fails the call whose input stream throws, and no other', async () => {
    const client = openClient(place)
    const broken = async function* () {
      yield new Uint8Array(1)
      throw new Error('mine')
    }
    expect(await outcome(client.upload(newKey(), { stream: broken() }))).toEqual(['ABORTED', 'unknown'])
    const odd: unknown[] = [5, { [Symbol.asyncIterator]: () => ({}) }, { getReader: null }]
    for (const stream of odd)
      expect((await outcome(client.upload(newKey(), { stream: stream as [] })))[0]).toBe('ABORTED')
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
  })

  it('refuses a bad item with its issues', async () => {
    const error = await errorOf(openClient(place).upload(newKey(), { stream: ['no bytes'] as never }))
    expect([error.code, (error.data as { issues: unknown[] }).issues.length]).toEqual(['INVALID_ARGUMENT', 1])
  })

  it('says so where a stream is awaited, or a call iterated', async () => {
    const client = openClient(place) as never as Record<
      string,
      (input?: unknown) => PromiseLike<unknown> & AsyncIterable<unknown>
    >
    expect((await outcome(client.count!(3)))[0]).toBe('UNIMPLEMENTED')
    const iterated = (async () => {
      for await (const _ of client.add!({ a: 1, b: 2 }));
    })()
    expect((await outcome(iterated))[0]).toBe('UNIMPLEMENTED')
  })

  it('closes a socket whose client grants what was never sent', async () => {
    const raw = await openRaw(place)
    const other = await openRaw(place)
    raw.send([2, 1, 'open', newKey()])
    await raw.until(([op]) => op === 9)
    raw.send([6, 1, 1_000_000])
    expect(await raw.end()).toMatchObject({ code: 4000 })
    expect(await other.alive()).toBe(true)
  })

  it('bounds what a client sends beyond its windows', async () => {
    const raw = await openRaw(place, 'tight')
    const other = await openRaw(place, 'tight')
    const text = 'x'.repeat(2_000)
    for (const id of [1, 3, 5]) raw.send([2, id, 'stall', newKey()])
    for (let i = 0; i < 30; i++) raw.send([4, [1, 3, 5][i % 3], text])
    expect(await raw.end()).toMatchObject({ code: 4000 })
    expect(await other.alive()).toBe(true)
  })
}
