// Runs in a package, after tsc. The sources import `./error.ts`, and tsc copies that into the declarations, where only
// recent TypeScript understands it; `./error.js` means error.d.ts to every version and every module resolution.
import { globSync, readFileSync, writeFileSync } from 'node:fs'

for (const file of globSync('dist/**/*.d.ts')) {
  const text = readFileSync(file, 'utf8')
  const renamed = text.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2')
  if (renamed !== text) writeFileSync(file, renamed)
}
