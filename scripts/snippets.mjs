// Type-checks every TypeScript block in the documentation as its reader would compile it.
//
//   ```ts                      a module of its own, for any platform
//   ```ts file=contract.ts     a file that other blocks of the page import; blocks with one name are one file
//   ```ts env=worker           with the types of Workers; also browser, node, neutral (the default)
//   <!-- snippet: declare const user: User -->   before a block: what it takes for granted, unseen
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parallel, root, run } from './run.mjs'

const LIB = ['ES2022', 'ES2024.String', 'ESNext.Disposable']
const ENVIRONMENTS = {
  neutral: { lib: LIB, types: [], files: ['packages/platform.d.ts', 'scripts/snippets.d.ts'] },
  browser: { lib: [...LIB, 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'], types: [], files: [] },
  worker: { lib: LIB, types: ['@cloudflare/workers-types'], files: ['packages/platform.workers.d.ts'] },
  node: { lib: LIB, types: ['node'], files: [] },
}

const home = join(root, 'docs/.snippets')
const problems = []
/** Generated file → its page, environment and lines. Each line stays at its line number in the page. */
const files = new Map()

function readPage(path) {
  const page = relative(root, path)
  const lines = readFileSync(path, 'utf8').split('\n')
  let blocks = 0
  let preamble = []
  for (let at = 0; at < lines.length; at++) {
    const hidden = /^\s*<!--\s*snippet:(.*)$/.exec(lines[at])
    if (hidden) {
      preamble = []
      for (let rest = hidden[1]; ; rest = lines[++at] ?? '-->') {
        preamble.push([at, rest.replace(/-->.*/, '')])
        if (rest.includes('-->')) break
      }
      continue
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(lines[at])
    if (!fence) {
      if (lines[at].trim()) preamble = []
      continue
    }
    const [, indent, marks, language, info] = fence
    const start = at
    const body = []
    while (++at < lines.length && !(lines[at].trimStart().startsWith(marks) && lines[at].trim() === marks)) {
      body.push([at, lines[at].startsWith(indent) ? lines[at].slice(indent.length) : lines[at]])
    }
    const seen = preamble
    preamble = []
    if (!/^(ts|tsx|typescript)$/.test(language)) continue
    const tags = Object.fromEntries(
      info
        .split(/\s+/)
        .filter(Boolean)
        .map((tag) => tag.split('=', 2)),
    )
    const { file = `block-${start + 1}.${language === 'tsx' ? 'tsx' : 'ts'}`, env = 'neutral', ...unknown } = tags
    for (const tag in unknown) problems.push(`${page}:${start + 1}: unknown tag '${tag}': every block is checked`)
    if (!ENVIRONMENTS[env]) {
      problems.push(`${page}:${start + 1}: unknown env '${env}'`)
      continue
    }
    const target = join(home, page.replaceAll(/[\\/]/g, '--').replace(/\.md$/, ''), file)
    const known = files.get(target)
    if (known && tags.env && known.env !== env) {
      problems.push(`${page}:${start + 1}: '${file}' began as env=${known.env}`)
    }
    const entry = known ?? { page, env, lines: [] }
    files.set(target, entry)
    for (const [line, text] of [...seen, ...body]) entry.lines[line] = text
    blocks++
  }
  return blocks
}

async function check(env) {
  const { lib, types, files: ambient } = ENVIRONMENTS[env]
  const mine = [...files].filter(([, entry]) => entry.env === env).map(([file]) => file)
  if (mine.length === 0) return
  const config = join(home, `tsconfig.${env}.json`)
  const options = {
    extends: join(root, 'tsconfig.test.json'),
    compilerOptions: { lib, types, jsx: 'react-jsx', moduleDetection: 'force', exactOptionalPropertyTypes: false },
    files: [...ambient.map((path) => join(root, path)), ...mine],
  }
  writeFileSync(config, JSON.stringify(options))
  const { ok, output } = await run(['tsc', '-p', config, '--pretty', 'false'])
  if (ok) return
  for (const line of output.split('\n').filter(Boolean)) {
    const error = /^(.+?)\((\d+),(\d+)\): (.*)$/.exec(line)
    const entry = error && files.get(join(root, error[1]))
    if (entry) problems.push(`${entry.page}:${error[2]}:${error[3]}: ${error[4]} [env=${env}]`)
    else problems.push(error ? `${line} [env=${env}]` : line)
  }
}

rmSync(home, { recursive: true, force: true })
const pages = ['README.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((path) => !path.includes('node_modules'))
let blocks = 0
for (const page of pages) blocks += readPage(join(root, page))
for (const [file, { lines }] of files) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Array.from(lines, (line) => line ?? '').join('\n'))
}
await parallel(Object.keys(ENVIRONMENTS), 2, check)

for (const problem of problems) console.error(problem)
console.log(`${blocks} blocks on ${pages.length} pages, ${problems.length} problems`)
process.exitCode = problems.length ? 1 : 0
