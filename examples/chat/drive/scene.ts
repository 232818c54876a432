import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { until } from './until.ts'
import { enter, type Visitor } from './visitor.ts'

/** Telegraph poles in the evening, in few colours: so that the picture of the page stays small. */
const POLES = `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="340" viewBox="0 0 720 340">
  <path fill="#f2c48d" d="M0 0h720v340H0z"/><circle cx="508" cy="206" r="64" fill="#f8e3b8"/>
  <path fill="#e39a63" d="M0 218q140-46 290-18t430-30v170H0z"/><path fill="#8e4a3a" d="M0 262q190-44 360-8t360-26v112H0z"/>
  <path fill="#2b2a33" d="M0 304q220-26 390-4t330-14v54H0z"/>
  <path fill="none" stroke="#2b2a33" stroke-width="7" d="M92 318V58M50 84h84M60 108h64M356 310V112M324 132h64M332 150h48M566 304V150M542 166h48M548 180h36"/>
  <path fill="none" stroke="#2b2a33" stroke-width="2" d="M-40 66Q20 104 54 82Q200 178 328 130Q450 198 545 164Q640 206 740 172M-40 92Q20 128 64 106Q210 196 336 148Q452 210 550 178Q640 216 740 186"/>
</svg>`

const drawn = async (browser: Browser, svg: string): Promise<Buffer> => {
  const page = await browser.newPage()
  await page.setContent(svg)
  const picture = await page.locator('svg').screenshot()
  await page.close()
  return picture
}

/** The pictures of the page, and who looks at it there. */
const VIEWS: Array<[file: string, name: string, key: string, options: BrowserContextOptions]> = [
  ['chat-light.png', 'Grace', '00000000-0000-4000-8000-000000000002', { colorScheme: 'light' }],
  ['chat-dark.png', 'Ada', '00000000-0000-4000-8000-000000000001', { colorScheme: 'dark' }],
  [
    'chat-phone.png',
    'Barbara',
    '00000000-0000-4000-8000-000000000003',
    { viewport: { width: 375, height: 812 }, colorScheme: 'light' },
  ],
]

/**
 * Plays a scene in one room, and takes pictures of it.
 *
 * @param url where the chat is served
 * @param folder where the pictures go
 */
export const shoot = async (url: string, browser: Browser, folder: string): Promise<string[]> => {
  const [grace, ada, barbara] = (await Promise.all(
    VIEWS.map(([, name, key, options]) => {
      const prepare = (page: Visitor['page']) => page.addInitScript((key) => localStorage.setItem('key', key), key)
      return enter(browser, url, { name, prepare, reducedMotion: 'reduce', ...options })
    }),
  )) as [Visitor, Visitor, Visitor]

  const all = [grace, ada, barbara]
  const says = async (speaker: Visitor, text: string) => {
    await speaker.say(text)
    await Promise.all(all.map((visitor) => visitor.hears(text)))
  }
  await says(ada, 'The line over the ridge is up again.')
  await ada.page
    .locator('input[type=file]')
    .setInputFiles({ name: 'poles.png', mimeType: 'image/png', buffer: await drawn(browser, POLES) })
  await until(
    'a picture is attached',
    () => ada.page.locator('.attachment').count(),
    (count) => count === 1,
  )
  await says(ada, 'From the road, ten minutes ago:')
  await says(grace, 'Beautiful. How long was it down?')
  await says(barbara, 'Forty minutes. This room slept through most of them.')
  await grace.press('Evict the object')
  await until(
    'it sleeps',
    () => grace.text('#life'),
    (is) => is.startsWith('asleep'),
  )
  await says(grace, 'I wrote my report meanwhile. It arrived once, and I missed nothing.')
  await until(
    'it is awake',
    () => grace.text('#life'),
    (is) => is.startsWith('awake'),
  )
  const shown = (visitor: Visitor) => visitor.page.locator('.figure img').count()
  await Promise.all(
    all.map((visitor) =>
      until(
        'the picture is shown',
        () => shown(visitor),
        (count) => count === 1,
      ),
    ),
  )
  await ada.field.pressSequentially('Then let us')
  for (const visitor of [grace, barbara])
    await until(
      'Ada types',
      () => visitor.text('.typists'),
      (is) => is === 'Ada is typing',
    )

  await mkdir(folder, { recursive: true })
  const files = VIEWS.map(([file]) => join(folder, file))
  for (const [n, visitor] of all.entries()) {
    await visitor.page.mouse.move(0, 0)
    await visitor.page.screenshot({ path: files[n]! })
  }
  await Promise.all(all.map((visitor) => visitor.leave()))
  return files
}
