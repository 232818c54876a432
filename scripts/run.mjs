// Runs commands for the other scripts: the workspace's own tools first on the path, quiet about telemetry.
import './quiet.mjs'
import { spawn } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..')

const env = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  FORCE_COLOR: undefined,
  NO_COLOR: '1',
}

/**
 * Runs a command to its end, or to `timeout` milliseconds.
 * @param {string[]} command
 * @param {{ cwd?: string, print?: boolean, timeout?: number, env?: Record<string, string> }} [options]
 * @returns {Promise<{ ok: boolean, output: string }>} never rejects
 */
export function run([file, ...args], { cwd = root, print = false, timeout = 600_000, env: more } = {}) {
  return new Promise((done) => {
    // A group of its own, so that what the command leaves running can be ended with it.
    const child = spawn(file, args, {
      cwd,
      env: { ...env, ...more },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const take = (chunk) => {
      output += chunk
      if (print) process.stdout.write(chunk)
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {} // all gone already
    }
    const timer = setTimeout(() => {
      take(`\n${file} ${args.join(' ')}: ended after ${timeout / 1000} s\n`)
      end()
    }, timeout)
    child.on('error', (error) => take(`${error.message}\n`))
    child.on('exit', end)
    child.on('close', (code) => {
      clearTimeout(timer)
      done({ ok: code === 0, output })
    })
  })
}

/** Maps with at most `width` at once. */
export async function parallel(items, width, task) {
  const queue = [...items.entries()]
  const results = []
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await task(next[1])
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
