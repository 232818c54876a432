import { expect, it } from 'vitest'
import { errorOf, eventually, newKey, openClient, openRaw, type Place } from './place.ts'

/** What a caller is told of what went wrong, and what it is not. */
export const errors = (place: Place): void => {
  it('carries a declared error with its data', async () => {
    const client = openClient(place)
    const error = await errorOf(client.throws.declared())
    expect([error.code, error.message, error.executed, error.retryAfter, error.remote]).toEqual([
      'MUTED',
      'Muted for now',
      'yes',
      7,
      true,
    ])
    expect(error.data).toEqual({ until: new Date(5) })
    const empty = await errorOf(client.throws.empty())
    expect([empty.code, empty.data]).toEqual(['CLOSED', undefined])
  })

  it('carries a standard code that a handler throws', async () => {
    const error = await errorOf(openClient(place).throws.standard('PERMISSION_DENIED'))
    expect([error.code, error.message, error.data]).toEqual([
      'PERMISSION_DENIED',
      'Said by the handler',
      { at: new Date(6) },
    ])
  })

  const hidden = ['error', 'string', 'null', 'undefined', 'undeclared', 'remote', 'hostile', 'frozen', 'prototype']
  it.each([...hidden, 'constructor'])('hides what was thrown, and reports it under the same id: %s', async (what) => {
    const client = openClient(place)
    const iterate = async () => {
      for await (const _ of client.throws.inStream(what));
    }
    const calls: [string, () => PromiseLike<unknown>][] = [
      ['throws.anything', () => client.throws.anything(what)],
      ['throws.inStream', iterate],
    ]
    for (const [path, call] of calls) {
      const error = await errorOf(call())
      const { id } = error.data as { id: string }
      expect([error.code, error.executed, error.message]).toEqual(['INTERNAL', 'yes', `Internal error (${id})`])
      expect((await client.witness.report(id))?.path).toBe(path)
    }
  })

  it('hides and reports output that is not what the contract says', async () => {
    const client = openClient(place)
    for (const call of [client.outputs.invalid(), client.throws.wrong()]) {
      const error = await errorOf(call)
      expect([error.code, error.executed]).toEqual(['INTERNAL', 'yes'])
      expect(await client.witness.report((error.data as { id: string }).id)).toBeDefined()
    }
  })

  it('bears an onError that throws', async () => {
    const client = openClient(place)
    expect((await errorOf(client.throws.unreported())).code).toBe('INTERNAL')
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
  })

  it('bears a generator whose finally throws, when it is left', async () => {
    const client = openClient(place)
    const key = newKey()
    const stop = client.throws.inFinally(key).subscribe({})
    await client.nothing()
    stop()
    // It is waiting, so that it can be left only when that is over: the connection does not wait for it.
    expect(await client.add({ a: 1, b: 1 })).toBe(2)
    expect(
      await eventually(
        () => client.witness.of(key),
        () => true,
      ),
    ).toEqual([])
  })

  it('lets nothing of what was hidden into any frame', async () => {
    const raw = await openRaw(place)
    const names = [...hidden, 'constructor']
    names.forEach((name, i) => {
      raw.send([2, 100 + 2 * i + 1, 'throws.anything', name])
      raw.send([2, 300 + 2 * i + 1, 'throws.inStream', name])
    })
    const odd = ['function', 'symbol', 'instance', 'promise', 'circular', 'hostile']
    odd.forEach((name, i) => {
      raw.send([2, 500 + 2 * i + 1, 'outputs.odd', name])
    })
    for (const [i, path] of ['throws.wrong', 'outputs.invalid', 'throws.unreported'].entries())
      raw.send([2, 700 + 2 * i + 1, path])
    const expected = 2 * names.length + odd.length + 3
    await eventually(
      () => raw.messages.filter(([op]) => op === 8).length,
      (n) => n >= expected,
    )
    const failed = raw.messages.filter(([op]) => op === 8)
    expect(failed).toHaveLength(expected)
    for (const [, , error] of failed as unknown as [number, number, object][]) {
      expect(error).toMatchObject({ code: 'INTERNAL' })
      expect(Object.keys(error).sort()).toEqual(['code', 'data', 'executed', 'message'])
    }
    for (const frame of raw.frames) expect(frame).not.toMatch(/classified|stack|\.ts|at \w+ \(/)
  })
}
