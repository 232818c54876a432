import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from '../../scripts/run.mjs'

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
