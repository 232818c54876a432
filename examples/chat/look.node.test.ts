import { describe, expect, it } from 'vitest'
import { faults } from './drive/faults.ts'
import { poll, stage, words } from './drive/stage.ts'
import type { Visitor } from './drive/visitor.ts'

const { newRoom, two } = stage()
const phone = { viewport: { width: 375, height: 812 }, hasTouch: true }

describe('who does not see it, or hardly,', () => {
  for (const colorScheme of ['light', 'dark'] as const)
    it(`finds nothing in the way, ${colorScheme}`, async () => {
      const { come, fill } = newRoom()
      await fill(['one', 'two'])
      const [ada, grace] = await Promise.all([
        come('Ada', { colorScheme, reducedMotion: 'reduce' }),
        come('Grace', { colorScheme, reducedMotion: 'reduce', ...phone }),
      ])
      await ada.say('hello')
      await grace.hears('hello')
      await ada.field.fill('and now')
      await poll(() => grace.text('.typists')).toBe('Ada is typing')
      expect(await faults(ada)).toEqual([])
      expect(await faults(grace)).toEqual([])
      for (const door of ['Rooms and people', 'Pull the plug']) {
        await grace.press(door)
        expect(await faults(grace)).toEqual([])
        await grace.page.keyboard.press('Escape')
      }
      await ada.press('Drop the socket')
      await ada.stands('Connection lost, trying again')
      await ada.field.press('Enter')
      expect((await ada.log()).at(-1)?.fate).toBe('sending')
      expect(await faults(ada)).toEqual([])
    })

  it('hears messages and what becomes of the connection, and no seconds', async () => {
    const ada = await newRoom().come('Ada')
    expect(await ada.page.getByRole('log', { name: 'Messages' }).count()).toBe(1)
    expect(await ada.page.getByRole('status').allTextContents()).toEqual(['Connected'])
    await ada.press('Drop the socket')
    await ada.stands('Connection lost, trying again')
    expect(await ada.page.getByRole('status').allTextContents()).toEqual(['Connection lost, trying again'])
    for (const landmark of ['banner', 'main', 'navigation'] as const)
      expect(await ada.page.getByRole(landmark).count(), landmark).toBe(landmark === 'banner' ? 0 : 1)
  })
})

it('says why, where it may not come in', async () => {
  const ada = await newRoom().come('Ada')
  await ada.page.evaluate(() => localStorage.setItem('key', 'none'))
  await ada.page.reload()
  await ada.stands('Disconnected: A visitor has a name of 1 to 32 characters, and a key.')
  expect(await ada.texts('.standing button')).toEqual(['Connect again'])
})

it('is worked by the keyboard alone', async () => {
  const { come, room } = newRoom()
  const [ada, grace] = await Promise.all([come('Ada'), come('Grace')])
  const { keyboard } = ada.page
  /** What has the focus, as it is called. */
  const focused = () =>
    ada.page.evaluate(() => {
      const element = document.activeElement as HTMLElement
      return element.getAttribute('aria-label') ?? element.textContent?.trim()
    })
  const order: unknown[] = []
  for (let n = 0; n < 13; n++) {
    await keyboard.press('Tab')
    order.push(await focused())
  }
  expect(order).toEqual([
    'lobby',
    'workshop',
    'night-shift',
    room,
    'Name of another room',
    'Enter',
    'Change your name',
    'Colours: as the system',
    'Messages',
    `Message to ${room}`,
    'Add a picture',
    'Send',
    'Evict the object',
  ])
  const outline = await ada.page.evaluate(() => getComputedStyle(document.activeElement!).outlineWidth)
  expect(outline).toBe('3px')
  await keyboard.press('Enter')
  await poll(() => ada.text('#life')).toMatch(/^asleep/)
  for (let n = 0; n < 3; n++) await keyboard.press('Shift+Tab')
  await keyboard.type('first')
  await keyboard.press('Shift+Enter')
  await keyboard.type('second')
  await keyboard.press('Enter')
  await grace.hears('first\nsecond')
  expect(await focused()).toBe(`Message to ${room}`)
})

describe('a phone', () => {
  it('has all of it, and nothing to scroll sideways', async () => {
    const { come, fill } = newRoom()
    await fill(['a'.repeat(300), 'https://example.com/'.padEnd(200, 'x')])
    const ada = await come('W'.repeat(32), phone)
    const width = () => ada.page.evaluate(() => document.documentElement.scrollWidth)
    expect(await width()).toBe(375)
    await ada.page.setViewportSize({ width: 320, height: 568 })
    expect(await width()).toBe(320)
    expect(await ada.page.locator('#bench').isVisible()).toBe(false)
    await ada.press('Pull the plug')
    await ada.press('Evict the object')
    await poll(() => ada.text('#life')).toMatch(/^asleep/)
    expect(await width()).toBe(320)
    await ada.page.keyboard.press('Escape')
    await ada.say('from a phone')
    await ada.hears('from a phone')
  })
})

describe('colours', () => {
  const ground = ({ page }: Visitor) => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const [light, dark] = ['rgb(247, 249, 247)', 'rgb(14, 23, 21)']

  it('are those of the system, until the visitor chooses others', async () => {
    const ada = await newRoom().come('Ada', { colorScheme: 'dark' })
    expect(await ground(ada)).toBe(dark)
    await ada.press('Colours: as the system')
    expect(await ground(ada)).toBe(light)
    await ada.page.reload()
    expect(await ground(ada)).toBe(light)
    await ada.press('Colours: light')
    expect(await ground(ada)).toBe(dark)
    await ada.press('Colours: dark')
    await ada.page.emulateMedia({ colorScheme: 'light' })
    expect(await ground(ada)).toBe(light)
  })
})

describe('the log', () => {
  it('stays where its reader is, marks what is new, and goes back to what is old', async () => {
    const { come, fill, room } = newRoom()
    await fill(Array.from({ length: 60 }, (_, n) => `line ${n + 1}`))
    const [ada, grace] = await Promise.all([come('Ada'), come('Grace')])
    expect(await words(grace)).toHaveLength(50)
    const scroll = grace.page.locator('[role=log]')
    const top = () => scroll.evaluate((element) => Math.round(element.scrollTop))
    await scroll.evaluate((element) => element.scrollTo({ top: 300 }))
    await poll(() => grace.texts('.to-end')).toEqual(['To the end'])
    await ada.say('news')
    await poll(() => grace.texts('.to-end')).toEqual(['1 new'])
    expect(await top()).toBe(300)
    expect(await faults(grace)).toEqual([])
    expect(await grace.page.title()).toBe(`(1) ${room} · pairwire`)

    // Older ones come before what is read, which stays under the reader's eyes.
    const place = () =>
      grace.page.getByText('line 20', { exact: true }).evaluate((line) => line.getBoundingClientRect().top)
    const before = await place()
    await grace.page.getByRole('button', { name: 'Earlier messages' }).evaluate((button: HTMLElement) => button.click())
    await poll(() => words(grace)).toHaveLength(61)
    expect(await place()).toBeCloseTo(before, -1)
    expect((await words(grace))[0]).toBe('line 1')

    await grace.press('1 new')
    await poll(() => grace.texts('.to-end')).toEqual([])
    expect(await grace.texts('.new')).toEqual(['New'])
    expect(await grace.page.title()).toBe(`${room} · pairwire`)
  })
})

it('asks nobody for anything but the machine it came from', async () => {
  const { come, room } = newRoom()
  const asked: string[] = []
  const ada = await come('Ada', { prepare: async (page) => page.on('request', (request) => asked.push(request.url())) })
  await two()
  const { host } = new URL(ada.page.url())
  expect(asked.filter((url) => !url.startsWith('data:') && new URL(url).host !== host)).toEqual([])
  expect(asked.map((url) => new URL(url).pathname)).toEqual(expect.arrayContaining([`/rooms/${room}`, '/main.js']))
})
