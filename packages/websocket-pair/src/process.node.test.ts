import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/** What a Node process of its own prints; it must end by itself. */
async function print(script: string): Promise<string> {
  const entry = new URL('./index.ts', import.meta.url).href
  const source = `import { WebSocketPair } from ${JSON.stringify(entry)}\n${script}`
  const args = ['--experimental-strip-types', '--no-warnings', '--input-type=module', '--eval', source]
  const { stdout } = await run(process.execPath, args, { timeout: 15_000 })
  return stdout.trim()
}

const PAIR = 'const [a, b] = new WebSocketPair(); a.accept(); b.accept();'

it('an open pair does not keep the process alive', async () => {
  expect(await print(`${PAIR} console.log('end')`)).toBe('end')
})

it('a message under way does, until it has arrived', async () => {
  expect(await print(`${PAIR} b.onmessage = ({ data }) => console.log(data); a.send('arrived')`)).toBe('arrived')
})

it('a listener that throws does not end the process', async () => {
  const script = `${PAIR} b.onmessage = () => { throw new Error('boom') }; b.onerror = ({ message }) => console.log(message)
    a.send('x')
    process.on('exit', () => console.log('alive'))`
  expect(await print(script)).toBe('Uncaught Error: boom\nalive')
})
