import { createClient } from '@pairwire/client'
import { type Browser, chromium as driver } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { chromium } from '../../../scripts/chromium.mjs'
import { serveExample } from '../../../scripts/start/serve.mjs'
import type { chat } from '../contract.ts'
import { type Entrance, enter, type Visitor } from './visitor.ts'

/** The chat in workerd and a Chromium to visit it with, for the tests of one file. No page may complain of anything. */
export const stage = () => {
  let server: Awaited<ReturnType<typeof serveExample>>
  let browser: Browser
  let here: Visitor[] = []
  let rooms = 0

  beforeAll(async () => {
    ;[server, browser] = await Promise.all([serveExample('chat'), chromium().then((found) => driver.launch(found))])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })
  afterEach(async () => {
    const complaints = here.flatMap((visitor) => visitor.complaints)
    await Promise.all(here.map((visitor) => visitor.leave()))
    here = []
    expect(complaints).toEqual([])
  })

  /** A room in which nobody was before. */
  const newRoom = () => {
    const room = `room-${++rooms}`
    /** A client without a page. */
    const connect = () =>
      createClient<typeof chat>(`${server.url}/rooms/${room}`, { params: { name: 'Bot', key: crypto.randomUUID() } })
    const come = async (name: string, options: Partial<Entrance> = {}): Promise<Visitor> => {
      const visitor = await enter(browser, server.url, { name, room, ...options })
      here.push(visitor)
      return visitor
    }
    return {
      room,
      come,
      connect,
      /** Puts the object to sleep. */
      evict: () => server.evict('ChatRoom', room),
      /** Drops every socket, and starts the object again. */
      deploy: () => server.deploy(),
      /** Somebody without a page says all of this. */
      async fill(lines: string[]) {
        const client = connect()
        await using _ = client.$connection
        await Promise.all(lines.map((text) => client.post({ id: crypto.randomUUID(), text })))
      },
    }
  }
  const two = async () => {
    const room = newRoom()
    const [ada, grace] = await Promise.all([room.come('Ada'), room.come('Grace')])
    return { ...room, ada, grace }
  }
  return { newRoom, two }
}

/** What was said, in the order in which a page shows it. */
export const words = async (visitor: Visitor): Promise<string[]> => (await visitor.log()).map(({ text }) => text)

/** Asks until it is as expected. Longer than vitest would: machines are busy, and browsers are many programs. */
export const poll = <T>(ask: () => T) => expect.poll(ask, { timeout: 10_000, interval: 20 })
