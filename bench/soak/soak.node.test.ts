import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('loses nothing and doubles nothing through 300 cuts', { timeout: 60_000 }, async () => {
  const soak = fileURLToPath(new URL('soak.ts', import.meta.url))
  const child = spawn(process.execPath, [soak, '--cuts', '300', '--clients', '12', '--seconds', '50'])
  const [printed, problems, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ])
  expect(problems).toBe('')
  expect(printed).toMatch(/\n\d+ passed, 0 failed\n$/)
  expect(code).toBe(0)
})
