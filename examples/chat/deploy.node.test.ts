import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@pairwire/client'
import { expect, it } from 'vitest'
import { run } from '../../scripts/run.mjs'
import { serveExample } from '../../scripts/start/serve.mjs'
import type { chat } from './contract.ts'

it('is ready to be deployed', async () => {
  const outdir = mkdtempSync(join(tmpdir(), 'pairwire-chat-'))
  try {
    const cwd = import.meta.dirname
    const { ok, output } = await run(['wrangler', 'deploy', '--dry-run', '--outdir', outdir], { cwd, timeout: 60_000 })
    expect(output).toContain('env.ROOMS (ChatRoom)')
    expect(ok).toBe(true)
    expect(readdirSync(outdir)).toContain('worker.js')
    expect(readdirSync(join(cwd, 'dist')).sort()).toEqual(['index.html', 'main.js', 'style.css'])
  } finally {
    rmSync(outdir, { recursive: true })
  }
}, 70_000)

it('offers to evict objects only where somebody can', async () => {
  for (const dev of [false, true]) {
    const server = await serveExample('chat', { dev })
    try {
      const params = { name: 'Ada', key: crypto.randomUUID() }
      const client = createClient<typeof chat>(`${server.url}/rooms/lobby`, { params })
      await using _ = client.$connection
      for await (const { evictable } of client.life()) {
        expect(evictable).toBe(dev)
        break
      }
      const { status } = await fetch(`${server.url}/rooms/lobby/evict`, { method: 'POST' })
      expect(status).toBe(dev ? 204 : 404)
    } finally {
      await server.close()
    }
  }
}, 30_000)
