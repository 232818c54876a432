import { deepEqual, equal } from 'node:assert/strict'
import { inspect } from 'node:util'
import { isValidationError, safe } from '@pairwire/contract'
import type { Step } from '../step.ts'

/** One call, one answer. */
export const calls: Step[] = [
  {
    kind: 'query',
    async show({ client }) {
      const sum = await client.add({ a: 1, b: 2 })
      equal(sum, 3)
      return `add({ a: 1, b: 2 }) → ${sum}`
    },
  },
  {
    kind: 'checked input',
    async show({ client }) {
      // @ts-expect-error the compiler knows; the server would not take its word for it
      const { error } = await safe(client.add({ a: 1, b: 'two' }))
      if (!isValidationError(error)) throw error ?? new Error('a string was added')
      const [issue] = error.data.issues
      deepEqual(issue?.path, ['b'])
      return `add({ a: 1, b: 'two' }) → ${error.code}, at ${issue.path}: ${issue.message}`
    },
  },
  {
    kind: 'context',
    async show({ client }) {
      const name = await client.whoAmI()
      equal(name, 'Ada')
      return `whoAmI() → '${name}', from the params of the connection`
    },
  },
  {
    kind: 'rich values',
    async show({ client }) {
      const landing = {
        at: new Date('1969-07-20T20:17:40Z'),
        crew: new Map([['Eagle', new Set(['Neil', 'Buzz'])]]),
        metres: 384_400_000n,
      }
      const mirrored = await client.mirror(landing)
      deepEqual(mirrored, landing)
      const { at, crew, metres } = mirrored
      return `mirror(…) → ${[at, crew, metres].map((value) => inspect(value, { breakLength: Infinity })).join(', ')}`
    },
  },
  {
    kind: 'mutation',
    async show({ client }) {
      const { left } = await client.spend({ coins: 7 })
      equal(left, 3)
      return `spend({ coins: 7 }) → ${left} left`
    },
  },
  {
    kind: 'typed error',
    async show({ another }) {
      const { client } = another()
      await using _ = client.$connection
      const { error } = await safe(client.spend({ coins: 12 }))
      if (error?.code !== 'BROKE') throw error ?? new Error('more was spent than there was')
      const { missing } = error.data
      equal(missing, 2)
      return `spend({ coins: 12 }) → ${error.code}, ${missing} missing`
    },
  },
  {
    kind: 'server calls',
    async show({ client }) {
      const words = await client.introduce()
      equal(words, 'This is Ada, asked "Who is there?".')
      return `introduce() → server calls name() on this client → '${words}'`
    },
  },
]
