import { deepEqual, equal, notEqual } from 'node:assert/strict'
import { styleText } from 'node:util'
import type { Browser } from 'playwright-core'
import { until } from './drive/until.ts'
import { enter, type Visitor } from './drive/visitor.ts'

/** Two people in one room. */
interface Pair {
  ada: Visitor
  grace: Visitor
}

/** What is shown, one thing after the other, each where the one before it left the room. */
const STEPS: Array<[kind: string, show: (pair: Pair) => Promise<string>]> = [
  [
    'talk',
    async ({ ada, grace }) => {
      await ada.say('Is anybody there?')
      await grace.hears('Is anybody there?')
      await grace.say('I am.')
      await ada.hears('I am.')
      deepEqual(await words(ada), await words(grace))
      return 'Ada and Grace, two pages in Chromium, hear each other'
    },
  ],
  [
    'evict',
    async ({ ada, grace }) => {
      const before = await ada.life()
      await ada.press('Evict the object')
      await until(
        'it sleeps',
        () => ada.text('#life'),
        (is) => is.startsWith('asleep'),
      )
      equal(await grace.text('.standing [role=status]'), 'Connected')
      return `the object, instance ${before}, is out of memory; both pages are still connected`
    },
  ],
  [
    'go on',
    async ({ ada, grace }) => {
      const before = await grace.life()
      await grace.say('Were you asleep?')
      await ada.hears('Were you asleep?')
      const life = await until('another life', ada.life, (life) => life !== before)
      notEqual(life, before)
      deepEqual(await sockets(ada, grace), ['socket 1', 'socket 1'])
      return `what Grace says wakes it as ${life}; Ada hears it, on the sockets they came with`
    },
  ],
  [
    'drop',
    async ({ ada, grace }) => {
      await grace.press('Drop the socket')
      await grace.stands('Connection lost, trying again')
      await grace.say('Said without a socket')
      equal((await grace.log()).at(-1)?.fate, 'sending')
      await ada.say('Said while Grace was away')
      return 'Grace’s socket is lost; she and Ada go on writing'
    },
  ],
  [
    'go on',
    async ({ ada, grace }) => {
      await grace.press('Reconnect now')
      await Promise.all([ada.hears('Said without a socket'), grace.hears('Said while Grace was away')])
      deepEqual(await words(ada), await words(grace))
      equal(new Set(await words(ada)).size, 5)
      return `both have the same ${(await words(ada)).length} messages, each once, in the same order`
    },
  ],
]

const words = async (visitor: Visitor) => (await visitor.log()).map(({ text }) => text)
const sockets = (...visitors: Visitor[]) =>
  Promise.all(visitors.map((visitor) => visitor.text('.wiring > div:first-child code')))

/**
 * Lets two pages talk while things break around them, and prints a line for each thing.
 *
 * @param url where the chat is served
 * @returns how many steps passed and failed
 */
export const walk = async (url: string, browser: Browser, print: (line: string) => void = console.log) => {
  const room = `walk-${Date.now().toString(36)}`
  const [ada, grace] = await Promise.all(['Ada', 'Grace'].map((name) => enter(browser, url, { name, room })))
  const counts = { passed: 0, failed: 0 }
  const width = Math.max(...STEPS.map(([kind]) => kind.length))
  for (const [kind, show] of STEPS) {
    const say = (mark: string, words: string) =>
      print(`${mark} ${styleText('bold', `chat: ${kind.padEnd(width)}`)}  ${words}`)
    try {
      say(styleText('green', '✓'), await show({ ada: ada!, grace: grace! }))
      counts.passed++
    } catch (error) {
      say(styleText('red', '✗'), (error as Error).message.replaceAll(/\s+/g, ' '))
      counts.failed++
    }
  }
  await Promise.all([ada!.leave(), grace!.leave()])
  return counts
}
