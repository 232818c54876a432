import { type Browser, chromium as driver, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { chromium } from '../../scripts/chromium.mjs'
import { serveExample } from '../../scripts/start/serve.mjs'

let server: Awaited<ReturnType<typeof serveExample>>
let browser: Browser
let page: Page
let complaints: string[]

beforeAll(async () => {
  ;[server, browser] = await Promise.all([serveExample('counter'), chromium().then((found) => driver.launch(found))])
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

beforeEach(async () => {
  page = await browser.newPage()
  complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => complaints.push(message.text()))
  await page.goto(server.url)
  await until('#state', 'Connected')
  return () => page.close()
})

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
// Asks for texts alone: a machine without fonts shows none, and Chromium takes them for hidden then.
const text = (selector: string) => page.locator(selector).evaluate((element) => element.textContent)
const until = (selector: string, expected: string) =>
  expect.poll(() => text(selector), { timeout: 10_000 }).toBe(expected)
const buttons = () =>
  page
    .getByRole('button')
    .evaluateAll((all) => all.map((button) => [button.textContent, (button as { disabled?: boolean }).disabled]))
/** What is listed, oldest first, without its times. */
const listed = () =>
  page.locator('#log li > p:first-child').evaluateAll((all) => all.map(({ textContent }) => textContent).reverse())

it('counts three clicks, survives an unknown message, closes, and connects again', async () => {
  for (const count of ['1', '2', '3']) {
    await press('Count')
    await until('#count', count)
  }
  const counted = ['Connected', 'click counted 1', 'click counted 2', 'click counted 3']
  await expect.poll(listed).toEqual(counted)

  await press('Send an unknown message')
  const refused = 'shout NOT_FOUND: there is no procedure "shout"'
  await expect.poll(listed).toEqual([...counted, refused])
  expect(await page.locator('#log li').first().getAttribute('class')).toBe('error')
  expect(await text('#state')).toBe('Connected')
  await press('Count')
  await until('#count', '4')

  await press('Close the connection')
  await until('#state', 'Closed')
  await expect.poll(listed).toEqual([...counted, refused, 'click counted 4', 'Closed by this page'])
  expect(await buttons()).toEqual([
    ['Count', true],
    ['Send an unknown message', true],
    ['Connect again', false],
  ])

  await press('Connect again')
  await until('#state', 'Connected')
  await until('#count', '0')
  await press('Count')
  await until('#count', '1')
  expect(complaints).toEqual([])
})

it('says of each answer when it came and how long it took', async () => {
  await press('Count')
  await expect.poll(listed).toContain('click counted 1')
  expect(await text('#log li:first-child .meta')).toMatch(/^\d\d:\d\d:\d\d\.\d{3} \d+\.\d ms$/)
  const at = await page.locator('#log li:first-child time').getAttribute('datetime')
  expect(Math.abs(Date.now() - Date.parse(at ?? ''))).toBeLessThan(60_000)
})

it("shows the Worker's clock while it is connected, and only then", async () => {
  await expect.poll(() => text('#clock')).toMatch(/^\d\d:\d\d:\d\d$/)
  const first = await text('#clock')
  await expect.poll(() => text('#clock'), { timeout: 5_000 }).not.toBe(first)
  await press('Close the connection')
  await until('#clock', '––:––:––')
  expect(complaints).toEqual([])
})

it('is worked by the keyboard and heard by a screen reader', async () => {
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await until('#count', '1')
  expect(await page.getByRole('log').getAttribute('aria-live')).toBe('polite')
  // The button that closes is the one that connects again, so the keyboard stays where it was.
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await until('#state', 'Closed')
  await page.keyboard.press('Enter')
  await until('#state', 'Connected')
})

it('fits a phone', async () => {
  await page.setViewportSize({ width: 320, height: 640 })
  await press('Send an unknown message')
  await expect.poll(listed).toHaveLength(2)
  expect(await page.evaluate(() => (globalThis as any).document.documentElement.scrollWidth)).toBe(320)
})

it('goes on by itself when its socket is lost', async () => {
  await page.addInitScript(() => {
    const sockets: WebSocket[] = []
    const Own = WebSocket
    Object.assign(globalThis, {
      sockets,
      WebSocket: class extends Own {
        constructor(url: string, protocols: string[]) {
          super(url, protocols)
          sockets.push(this)
        }
      },
    })
  })
  await page.goto(server.url)
  await until('#state', 'Connected')
  await press('Count')
  await until('#count', '1')
  await page.evaluate(() => (globalThis as never as { sockets: WebSocket[] }).sockets[0]!.close(3000))
  await expect.poll(listed).toContain('Connection lost with code 3000, trying again')
  await until('#state', 'Connected')
  expect((await listed()).at(-1)).toBe('Connected')
  const clock = await text('#clock')
  await expect.poll(() => text('#clock'), { timeout: 5_000 }).not.toBe(clock)
  expect(complaints).toEqual([])
})
