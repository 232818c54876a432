import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

// tsup runs in the package it builds: its doors are the entries, so that package.json lists them once.
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string> }

export default defineConfig({
  entry: Object.values(exports).filter((file) => file.endsWith('.ts')),
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  // What two doors share stays one chunk: a class must be the same class behind both.
  splitting: true,
  sourcemap: true,
  clean: true,
  // Puts constants such as the wire's op numbers where they are used; esbuild's bundles make variables of them, which a
  // user's bundler could not undo.
  esbuildOptions(options) {
    options.minifySyntax = true
  },
  // tsup's own declarations need TypeScript's old API, which TypeScript 7 has not; tsc makes them.
  dts: false,
  external: [/^node:/, /^cloudflare:/],
})
