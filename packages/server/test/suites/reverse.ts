import type { RpcError } from '@pairwire/contract'
import { implement } from '@pairwire/router'
import { expect, it } from 'vitest'
import { clientContract } from './contract.ts'
import { eventually, newKey, openClient, openRaw, type Place, sleep } from './place.ts'

/** The server calls its client. */
export const reverse = (place: Place): void => {
  const answering = () => {
    const seen: unknown[] = []
    const router = implement(clientContract).handlers({
      name: ({ input }) => `${input}=bob`,
      fails: ({ errors }) => {
        throw errors.BUSY({ since: new Date(4) })
      },
      crashes: () => {
        throw new Error('classified')
      },
      lies: () => 5 as never,
      waits: ({ input, signal }) =>
        new Promise((_, reject) => {
          seen.push(input)
          signal.addEventListener('abort', () => {
            seen.push((signal.reason as RpcError).code)
            reject(signal.reason)
          })
        }),
      async *events({ input }) {
        for (let i = 0; i < input; i++) yield i
      },
    })
    return { seen, router, client: openClient(place, 'main', { router: router as never }) }
  }

  it('gets an answer', async () => {
    expect(await answering().client.ask.name('who')).toBe('asked who=bob')
  })

  it('gets a declared error with its data', async () => {
    expect(await answering().client.ask.code({ path: 'fails' })).toMatchObject({
      code: 'BUSY',
      data: { since: new Date(4) },
      executed: 'yes',
    })
  })

  it('gets no more than INTERNAL where the client crashes', async () => {
    const got = await answering().client.ask.code({ path: 'crashes' })
    expect(got).toMatchObject({ code: 'INTERNAL' })
    expect(JSON.stringify(got)).not.toContain('classified')
  })

  it('gets events', async () => {
    expect(await answering().client.ask.events(500)).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  it('cancels, and the client is told by its signal', async () => {
    const { seen, client } = answering()
    expect(await client.ask.cancel('x')).toBe('CANCELLED')
    expect(
      await eventually(
        () => seen,
        ({ length }) => length > 1,
      ),
    ).toEqual(['x', 'CANCELLED'])
  })

  it('ends at its deadline', async () => {
    const { seen, client } = answering()
    expect(await client.ask.code({ path: 'waits', timeout: 60 })).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(
      (
        await eventually(
          () => seen,
          ({ length }) => length > 1,
        )
      ).length,
    ).toBe(2)
  })

  it('is told that a client without a router answers nothing', async () => {
    expect(await openClient(place).ask.code({ path: 'name' })).toMatchObject({ code: 'UNIMPLEMENTED', executed: 'no' })
  })

  it('does not take an answer that is not what the contract says', async () => {
    const raw = await openRaw(place)
    raw.send([2, 1, 'ask.code', { path: 'name' }])
    const [, id] = (await raw.until(([op]) => op === 2)) ?? []
    raw.send([7, id, { evil: true }])
    const answer = await raw.until(([op]) => op === 7)
    expect(answer?.[2]).toMatchObject({ value: { code: 'INTERNAL', executed: 'yes' } }.value)
    expect(JSON.stringify(answer)).not.toContain('evil')
  })

  it('knows only the procedures of the contract', async () => {
    expect(await answering().client.ask.code({ path: 'unknown' })).toMatchObject({ code: 'NOT_FOUND', executed: 'no' })
  })

  it('is told when the client goes away', async () => {
    const { seen, client } = answering()
    const key = newKey()
    Promise.resolve(client.ask.left(key)).catch(() => {})
    await eventually(
      () => seen,
      ({ length }) => length > 0,
    )
    client.$connection.close()
    const witness = openClient(place)
    expect(
      await eventually(
        () => witness.witness.of(key),
        ({ length }) => length > 1,
      ),
    ).toEqual(['asking', 'UNAVAILABLE'])
  })

  it('does not wait for one answer to take another', async () => {
    const { client } = answering()
    const slow = client.ask.code({ path: 'waits', timeout: 200 })
    expect(await client.ask.name('fast')).toBe('asked fast=bob')
    await slow
    await sleep(0)
  })
}
