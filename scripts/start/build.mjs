// Builds an example as `wrangler dev` would: its worker into one module, its page by its own `build` script.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root, run } from '../run.mjs'

/**
 * @param {string} name a folder of examples/ with a wrangler.json
 * @param {string} assets a folder for the built page
 */
export async function buildExample(name, assets) {
  const home = join(root, 'examples', name)
  const read = (file) => JSON.parse(readFileSync(join(home, file), 'utf8'))
  const config = read('wrangler.json')
  const { scripts } = read('package.json')
  const [worker] = await Promise.all([
    bundle(join(home, config.main)),
    config.assets && buildPage(home, scripts, assets),
  ])
  return { config, worker }
}

async function bundle(main) {
  const { outputFiles } = await build({
    entryPoints: [main],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0].text
}

async function buildPage(home, { build: command }, assets) {
  // The last --outdir counts: each server has a folder of its own, so that two at once do not write to the same one.
  const { ok, output } = await run([...command.split(' '), `--outdir=${assets}`], { cwd: home })
  if (!ok) throw new Error(`${command}\n${output}`)
}
