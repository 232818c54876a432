import { expect, it, vi } from 'vitest'
import { errorOf, eventually, newKey, openClient, openRaw, outcome, type Place, sleep } from './place.ts'

/** What holds for every single call. */
export const calls = (place: Place): void => {
  it('keeps the order of calls made before the socket is open, and after', async () => {
    const client = openClient(place)
    const key = newKey()
    const early = Array.from({ length: 50 }, (_, n) => client.order({ key, n }))
    await early[0]
    const late = Array.from({ length: 50 }, (_, n) => client.order({ key, n: 50 + n }))
    expect(await Promise.all([...early, ...late])).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(await client.witness.of(key)).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  it('answers what is fast while what is slow runs', async () => {
    const client = openClient(place)
    let over = false
    const slow = client.sleep(300).then(() => {
      over = true
    })
    expect(await client.add({ a: 1, b: 2 })).toBe(3)
    expect(over).toBe(false)
    await slow
    expect(over).toBe(true)
  })

  it('cancels: the caller is told at once, the handler by its signal, and a late result is ignored', async () => {
    const client = openClient(place)
    await client.nothing()
    for (const procedure of [client.wait, client.late]) {
      const key = newKey()
      const controller = new AbortController()
      const reason = new Error('mine')
      const call = errorOf(procedure(key, { signal: controller.signal }))
      await sleep(30)
      controller.abort(reason)
      const error = await call
      expect([error.code, error.executed, error.cause]).toEqual(['CANCELLED', 'unknown', reason])
      expect(
        (
          await eventually(
            () => client.witness.of(key),
            (seen) => seen.includes('CANCELLED'),
          )
        ).at(-1),
      ).toBe('CANCELLED')
    }
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
  })

  it('sends nothing for a call that was aborted before it was made', async () => {
    const client = openClient(place)
    const key = newKey()
    expect(await outcome(client.order({ key, n: 1 }, { signal: AbortSignal.abort() }))).toEqual(['CANCELLED', 'no'])
    expect(client.$connection.state).toBe('idle')
    expect(await client.witness.of(key)).toEqual([])
  })

  it('sends nothing for a call that was aborted while the socket opened', async () => {
    const client = openClient(place)
    const key = newKey()
    const controller = new AbortController()
    const call = outcome(client.order({ key, n: 1 }, { signal: controller.signal }))
    controller.abort()
    expect(await call).toEqual(['CANCELLED', 'no'])
    expect(await client.witness.of(key)).toEqual([])
  })

  it('aborts the handler of a socket that goes away', async () => {
    const client = openClient(place)
    const key = newKey()
    const other = openClient(place)
    const call = outcome(other.wait(key))
    await eventually(
      () => client.witness.of(key),
      (seen) => seen.length > 0,
    )
    other.$connection.close()
    expect(await call).toEqual(['CANCELLED', 'unknown'])
    expect(
      await eventually(
        () => client.witness.of(key),
        (seen) => seen.length > 1,
      ),
    ).toEqual(['started', expect.stringMatching(/^(CANCELLED|UNAVAILABLE)$/)])
  })

  it('ends at its deadline, at both ends', async () => {
    const client = openClient(place)
    const key = newKey()
    await client.nothing()
    const since = Date.now()
    expect(await outcome(client.wait(key, { timeout: 80 }))).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    expect(Date.now() - since).toBeLessThan(1_000)
    const seen = await eventually(
      () => client.witness.of(key),
      (seen) => seen.length > 1,
    )
    // Whichever end is first: the caller's cancel, or the handler's own timer.
    expect(seen[0]).toBe('started')
    expect(['DEADLINE_EXCEEDED', 'CANCELLED']).toContain(seen[1])
  })

  it('tells a caller of frames alone that its time is over', async () => {
    const raw = await openRaw(place)
    const key = newKey()
    raw.send([2, 1, 'wait', key, { timeout: 60 }])
    expect((await raw.until(([op, id]) => op === 8 && id === 1))?.[2]).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      executed: 'unknown',
    })
    expect((await openClient(place).witness.of(key)).at(-1)).toBe('DEADLINE_EXCEEDED')
    // The late answer of the handler goes nowhere.
    expect(await raw.alive()).toBe(true)
    expect(raw.messages.filter(([op, id]) => op > 6 && id === 1)).toHaveLength(1)
  })

  it('tells the handler its deadline: 30 s if nobody says another, and none for a stream', async () => {
    const client = openClient(place)
    const left = (await client.deadline()) as number
    expect(left).toBeGreaterThan(25_000)
    expect(left).toBeLessThanOrEqual(30_000)
    expect(await client.deadline(undefined, { timeout: 5_000 })).toBeLessThanOrEqual(5_000)
    const own = openClient(place, 'main', { timeout: 120_000 })
    expect(await own.deadline()).toBeGreaterThan(100_000)
    const short = openClient(place, 'main', { timeout: 150 })
    await short.nothing()
    const call = outcome(short.sleep(1_000))
    const events: number[] = []
    const stop = short.open(newKey()).subscribe({ onData: (n) => events.push(n), onError: () => events.push(-1) })
    expect(await call).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    await sleep(150)
    expect(events).toEqual([1])
    stop()
  })

  it('gives a stream the deadline it is given', async () => {
    const client = openClient(place)
    const key = newKey()
    await client.nothing()
    const stream = (async () => {
      for await (const _ of client.open(key, { timeout: 80 }));
    })()
    expect(await outcome(stream)).toEqual(['DEADLINE_EXCEEDED', 'unknown'])
    expect(
      await eventually(
        () => client.witness.of(key),
        (seen) => seen.length > 0,
      ),
    ).toEqual(['finally'])
  })

  it('hands metadata to the handler', async () => {
    expect(await openClient(place).metadata(undefined, { metadata: { traceparent: '00-1' } })).toEqual({
      traceparent: '00-1',
    })
  })

  it('finds nothing but procedures, by their whole path', async () => {
    const raw = await openRaw(place)
    const paths = [
      ...['', '.', 'files', 'throws', 'throws.', '.add', 'add.', 'throws.declared.x', 'deep.er', 'ADD', ' add'],
      ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'throws.__proto__', 'add.call'],
      ...['constructor.prototype', 'throws.constructor', 'length', 'then', '$connection', '~procedure', 'handlers'],
    ]
    paths.forEach((path, i) => {
      raw.send([2, 2 * i + 1, path, 1])
    })
    for (const [i, path] of paths.entries()) {
      const answer = await raw.until(([op, id]) => op > 6 && id === 2 * i + 1)
      expect([path, answer?.[0], answer?.[2]]).toEqual([
        path,
        8,
        expect.objectContaining({ code: 'NOT_FOUND', executed: 'no' }),
      ])
    }
    expect(await raw.alive()).toBe(true)
    const client = openClient(place) as unknown as Record<string, (input?: unknown) => PromiseLike<unknown>>
    expect(await outcome(client.throws!())).toEqual(['NOT_FOUND', 'no'])
  })

  it('says what is wrong with input as data', async () => {
    const error = await errorOf(openClient(place).add({ a: 'x', b: 2 } as never))
    expect([error.code, error.executed]).toEqual(['INVALID_ARGUMENT', 'no'])
    expect(error.data).toEqual({ issues: [{ message: expect.any(String), path: ['a'] }] })
  })

  it('runs every middleware in order, and gives handlers what they add', async () => {
    const client = openClient(place)
    expect(await client.context()).toMatchObject({ name: 'main', trail: ['first:main', 'second:context:0'] })
    expect(await client.deep.er.still('in')).toBe('in deep.er.still 3')
  })

  it('ends each call once, and with the truth, when the client is closed', async () => {
    const client = openClient(place)
    await client.nothing()
    const settled = vi.fn()
    const ends = [client.wait(newKey()), client.sleep(1_000)].map((call) => outcome(call).finally(settled))
    const events: unknown[] = []
    client.open(newKey()).subscribe({ onError: (error) => events.push(error.code), onDone: () => events.push('done') })
    await sleep(20)
    for (let i = 0; i < 3; i++) client.$connection.close()
    expect(await Promise.all(ends)).toEqual(Array(2).fill(['CANCELLED', 'unknown']))
    await sleep(50)
    expect(settled).toHaveBeenCalledTimes(2)
    expect(events).toEqual(['CANCELLED'])
    expect(client.$connection.state).toBe('closed')
    expect(await outcome(client.nothing())).toEqual(['UNAVAILABLE', 'no'])
  })

  it('closes in every state, idle and connecting and queued as well', async () => {
    const idle = openClient(place)
    idle.$connection.close()
    expect([idle.$connection.state, await outcome(idle.nothing())]).toEqual(['closed', ['UNAVAILABLE', 'no']])
    const waiting = openClient(place, 'main', { params: () => new Promise(() => {}) })
    const queued = [outcome(waiting.nothing()), outcome(waiting.add({ a: 1, b: 2 }))]
    expect(waiting.$connection.state).toBe('connecting')
    waiting.$connection.close()
    waiting.$connection.close()
    expect(await Promise.all(queued)).toEqual(Array(2).fill(['CANCELLED', 'no']))
    await sleep(20)
    expect(waiting.$connection.state).toBe('closed')
    const opening = openClient(place)
    const call = outcome(opening.sleep(1_000))
    await sleep(0)
    opening.$connection.close()
    expect((await call)[0]).toBe('CANCELLED')
    expect(opening.$connection.state).toBe('closed')
  })
}
