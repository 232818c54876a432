import { deepEqual, equal } from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { Step } from '../step.ts'

/** One call, many values: down, up, and both. */
export const streams: Step[] = [
  {
    kind: 'subscription',
    async show({ client }) {
      const seen: number[] = []
      for await (const n of client.countdown({ from: 3 })) seen.push(n)
      deepEqual(seen, [3, 2, 1])
      return `countdown({ from: 3 }) → ${seen.join(', ')}, done`
    },
  },
  {
    kind: 'leaving one',
    async show({ client }) {
      const seen: number[] = []
      for await (const n of client.numbers()) if (seen.push(n) === 3) break
      deepEqual(seen, [1, 2, 3])
      // A generator ends on its own time: asked until it has, or the step takes too long.
      while ((await client.visit()).left !== 1);
      return `numbers() → ${seen.join(', ')}, break → the server's generator ran its finally`
    },
  },
  {
    kind: 'upload',
    async show({ client }) {
      const chunks = Array.from({ length: 16 }, () => new Uint8Array(randomBytes(65_536)))
      const { name, size, sha256 } = await client.files.upload({ name: 'noise.bin' }, { stream: chunks })
      const expected = createHash('sha256')
      for (const chunk of chunks) expected.update(chunk)
      equal(name, 'noise.bin')
      equal(size, 1_048_576)
      equal(Buffer.from(sha256).toString('hex'), expected.digest('hex'))
      return `files.upload(…) → ${size.toLocaleString('en')} bytes in ${chunks.length} chunks, same SHA-256 at both ends`
    },
  },
  {
    kind: 'both directions',
    async show({ client }) {
      const said: string[] = []
      // Each line is said only after the one before it was answered: the two streams take turns.
      let answered = () => {}
      const lines = async function* () {
        for (const line of ['one', 'two', 'three']) {
          const answer = new Promise<void>((resolve) => {
            answered = resolve
          })
          said.push(line)
          yield line
          await answer
        }
      }
      for await (const line of client.shout(undefined, { stream: lines() })) {
        said.push(line)
        answered()
      }
      deepEqual(said, ['one', 'ONE!', 'two', 'TWO!', 'three', 'THREE!'])
      return `shout(…) → ${said.join(' ')}`
    },
  },
]
