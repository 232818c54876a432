import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveExample } from '../../scripts/start/serve.mjs'
import type { Step } from './step.ts'
import { steps } from './steps.ts'
import { type Visit, visit } from './visit.ts'
import { walk } from './walk.ts'

let server: Awaited<ReturnType<typeof serveExample>>
let here: Visit

beforeAll(async () => {
  server = await serveExample('tour')
  here = visit(server.url)
})

afterAll(async () => {
  here?.client.$connection.close()
  await server?.close()
})

describe('the tour shows', () => {
  for (const { kind, show } of steps) it(kind, async () => expect(await show(here)).toContain('→'))
})

describe('the transcript', () => {
  const told = async (steps: Step[]) => {
    const lines: string[] = []
    const counts = await walk(server.url, (line) => lines.push(stripVTControlCharacters(line)), steps)
    return { counts, lines }
  }
  const adds = (kind: string, expected: number): Step => ({
    kind,
    async show({ client }) {
      const sum = await client.add({ a: 1, b: 1 })
      if (sum !== expected) throw new Error(`not ${expected},\n  but ${sum}`)
      return `add → ${sum}`
    },
  })

  it('has a line for each step', async () => {
    const { counts, lines } = await told(steps)
    expect(counts).toEqual({ passed: steps.length, failed: 0 })
    expect(lines).toHaveLength(steps.length)
  })

  it('is aligned, says what failed and why, and goes on', async () => {
    const { counts, lines } = await told([adds('wrong', 3), adds('right', 2), adds('x', 2)])
    expect(counts).toEqual({ passed: 2, failed: 1 })
    expect(lines).toEqual(['✗ wrong  not 3, but 2', '✓ right  add → 2', '✓ x      add → 2'])
  })
})
