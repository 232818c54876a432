import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Visitor } from './visitor.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong with a page as it is now, by rule and element. */
export const faults = async ({ page }: Visitor) => {
  await page.evaluate(axe)
  // What comes in with an animation is not itself before its end.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map(({ finished, playState }) => playState === 'running' && finished)).then(
      () => {},
    ),
  )
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)])
  })
}
