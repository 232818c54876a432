import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './run.mjs'

/** Every published package: its folder's name, its folder, its package.json, and its doors by the name users import. */
export const packages = globSync('packages/*/package.json', { cwd: root })
  .map((path) => {
    const home = join(root, dirname(path))
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    const doors = Object.entries(manifest.exports)
      .filter(([, file]) => file.endsWith('.ts'))
      .map(([door, file]) => ({
        specifier: manifest.name + door.slice(1),
        source: join(home, file),
        built: join(home, file.replace(/^\.\/src\/(.*)\.ts$/, 'dist/$1.js')),
      }))
    return { name: path.split(/[\\/]/)[1], home, manifest, doors }
  })
  .filter(({ manifest }) => !manifest.private)
