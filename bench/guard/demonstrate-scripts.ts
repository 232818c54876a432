// The same for what scripts weigh and count: bundles and type instantiations. They are given a copy of the packages, which is
// changed.
import { randomBytes } from 'node:crypto'
import { appendFileSync, cpSync, globSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// @ts-expect-error: a script without types
import { root, run as untyped } from '../../scripts/run.mjs'

const run = untyped as (command: string[], options: { cwd: string }) => Promise<{ ok: boolean; output: string }>

export interface Shown {
  check: string
  what: string
  allowed: string
  counted: string
  isCaught: boolean
}

const copy = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'pairwire-guard-'))
  const files = ['packages', 'scripts', 'bench/types', ...globSync(['tsconfig*.json', 'tsup*.ts'], { cwd: root })]
  // Links lead to the same places, which the copy has, too.
  for (const file of files) cpSync(join(root, file), join(home, file), { recursive: true, verbatimSymlinks: true })
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'))
  return home
}

/** A table's rows that have a limit: what stands before it, the count, and the limit. */
const rowsOf = async (home: string, script: string, row: RegExp) => {
  const { output } = await run(['node', script], { cwd: home })
  const number = (text: string) => Number(text.replaceAll(',', ''))
  return [...output.matchAll(row)].map(([, name, counted, allowed]) => ({
    check: `${script}: ${name!.trim()}`,
    allowed: allowed!,
    counted: counted!,
    isOver: number(counted!) > number(allowed!),
  }))
}

/** What a script says before and after something is broken. */
const demonstrate = async (home: string, script: string, row: RegExp, what: string, broken: () => void) => {
  const before = await rowsOf(home, script, row)
  broken()
  const after = await rowsOf(home, script, row)
  if (!after.length) throw new Error(`${script} says nothing that can be read`)
  return after.map(({ isOver, ...shown }, i) => ({ ...shown, what, isCaught: isOver && before[i]?.isOver === false }))
}

const SIZES = /^(@pairwire\S+) +[\d.]+ kB +([\d.]+) kB +([\d.]+) kB/gm
const TYPES = /^(\S.*?) {2,}([\d,]+) +([\d,]+) +[\d,]+ +[\d.]+ s$/gm
/** As many instantiations as the half of the square of this. */
const RECURSIVE = `type Count<Counted extends 0[] = []> = Counted['length'] extends 300 ? Counted : Count<[...Counted, 0]>
export type Counted = Count
`

export const demonstrateScripts = async (): Promise<Shown[]> => {
  const home = copy()
  try {
    await Promise.all(
      globSync('packages/*/tsup.config.ts', { cwd: home }).map((file) =>
        run(['tsup', '--silent'], { cwd: join(home, file, '..') }),
      ),
    )
    const sizes = await demonstrate(home, 'scripts/sizes.mjs', SIZES, 'a kilobyte more in each module', () => {
      for (const file of globSync('packages/*/dist/*.js', { cwd: home }))
        appendFileSync(join(home, file), `\nglobalThis.ballast = '${randomBytes(750).toString('base64')}'\n`)
    })
    const what = 'a type that calls itself 300 times, beside the contract'
    const types = await demonstrate(home, 'bench/types/measure.mjs', TYPES, what, () => {
      const contract = join(home, 'packages/contract/src')
      writeFileSync(join(contract, 'recursive.ts'), RECURSIVE)
      appendFileSync(join(contract, 'index.ts'), "\nexport type * from './recursive.ts'\n")
    })
    return [...sizes, ...types]
  } finally {
    rmSync(home, { recursive: true })
  }
}
