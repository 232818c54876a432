// Visits the chat with Chromium.
import { join, relative } from 'node:path'
import { chromium as driver } from 'playwright-core'
import { shoot } from '../../examples/chat/drive/scene.ts'
import { walk } from '../../examples/chat/walk.ts'
import { chromium } from '../chromium.mjs'
import { root } from '../run.mjs'

/** Two pages talk while things break around them; a line for each thing. */
export const walkChat = (url) => withBrowser((browser) => walk(url, browser))

/** Takes the pictures of the page that the documentation shows. */
export const shootChat = (url) =>
  withBrowser(async (browser) => {
    const files = await shoot(url, browser, join(root, 'docs/images'))
    console.log(`\nWritten: ${files.map((file) => relative(root, file)).join(', ')}`)
  })

async function withBrowser(visit) {
  const browser = await driver.launch(await chromium())
  try {
    return await visit(browser)
  } finally {
    await browser.close()
  }
}
