// Keeps the documentation's figures those of bench/results. Fails where a page has others; `npm run figures` writes them.
//
//   <!-- figures: ratios -->     what `bench/figures.ts` calls so stands from here
//   <!-- end of figures -->      to here
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { figures } from '../bench/figures.ts'
import { root } from './run.mjs'

const BLOCK = /(<!-- figures: (\S+) -->\n)([\s\S]*?)(<!-- end of figures -->)/g
const writes = process.argv.includes('--write')
let [blocks, drifted] = [0, 0]

for (const page of ['README.md', ...globSync('docs/*.md', { cwd: root })]) {
  const path = join(root, page)
  const before = readFileSync(path, 'utf8')
  const after = before.replace(BLOCK, (_, head, name, _old, end) => {
    if (!figures[name]) throw new Error(`${page}: no figures are called '${name}'`)
    blocks++
    return `${head}\n${figures[name]()}\n\n${end}`
  })
  if (after === before) continue
  drifted++
  if (writes) writeFileSync(path, after)
  console.log(
    `${page} ${writes ? 'has been brought up to date' : 'has other figures than bench/results: npm run figures'}`,
  )
}
console.log(`${blocks} tables of figures, ${drifted} pages ${writes ? 'written' : 'that drifted'}`)
process.exitCode = drifted && !writes ? 1 : 0
