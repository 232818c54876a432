import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { until } from './until.ts'

/** How somebody comes in. */
export interface Entrance extends BrowserContextOptions {
  name: string
  room?: string
  /** Is given the page before it is loaded. */
  prepare?(page: Page): Promise<unknown>
}

/** A line of the log, as it can be read. */
export interface Read {
  who: string
  text: string
  /** What stands below it: that it is being sent, or that it was not. */
  fate: string
}

/** Somebody in front of a page, with a browser of their own. */
export type Visitor = Awaited<ReturnType<typeof enter>>

/** Opens the page of a room, and waits until it is connected. */
export const enter = async (browser: Browser, url: string, { name, room = 'lobby', prepare, ...options }: Entrance) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  await context.addInitScript((name) => localStorage.getItem('name') ?? localStorage.setItem('name', name), name)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Chromium says by itself where a server cannot be reached.
    if (!message.text().startsWith('WebSocket connection to')) complaints.push(message.text())
  })
  await prepare?.(page)
  await page.goto(new URL(`/rooms/${room}`, url).href)

  // Asks for texts alone: a machine without fonts shows none, and Chromium takes them for hidden then.
  const texts = (selector: string) =>
    page.locator(selector).evaluateAll((all) => all.map(({ textContent }) => textContent?.trim() ?? ''))
  const text = async (selector: string) => (await texts(selector)).join(' ')
  const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
  const field = page.getByRole('textbox', { name: `Message to ${room}` })

  const visitor = {
    page,
    complaints,
    field,
    press,
    text,
    texts,
    async say(words: string) {
      await field.fill(words)
      await field.press('Enter')
    },
    log: (): Promise<Read[]> =>
      page.locator('.line').evaluateAll((lines) =>
        lines.map((line) => ({
          who: line.querySelector('strong')?.textContent ?? '',
          text: line.querySelector('.text')?.textContent ?? '',
          fate: line.querySelector('.fate p, p.fate')?.textContent ?? '',
        })),
      ),
    /** Waits until these words stand in the log, and are no longer on their way. */
    hears: (words: string) =>
      until(`${name} hears "${words}"`, visitor.log, (log) => log.some(({ text, fate }) => text === words && !fate)),
    people: () => texts('.people .name'),
    /** Waits until the connection stands like this. */
    stands: (state: string) =>
      until(
        `${name} is connected`,
        () => text('.standing [role=status]'),
        (is) => is === state,
      ),
    /** Which life of the object this page knows of. */
    life: async () => (await text('#life code')).split(' ').at(-1) ?? '',
    leave: () => context.close(),
  }
  await visitor.stands('Connected')
  await until(
    `${name} has come in`,
    () => page.locator('[role=log]').getAttribute('aria-busy'),
    (is) => is === 'false',
  )
  await until(`${name} is here`, visitor.life, (life) => /^\w{6}$/.test(life))
  return visitor
}
