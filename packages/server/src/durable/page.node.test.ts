import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromium } from '../../../../scripts/chromium.mjs'
import { type Stages, serveStages } from '../../test/platform/stages.ts'

const SOON = { timeout: 10_000 }

let stages: Stages
let browser: Browser
let script: string

const bundle = async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL('../../../client/src/index.ts', import.meta.url).pathname],
    bundle: true,
    format: 'iife',
    globalName: 'pairwire',
    write: false,
    logLevel: 'warning',
  })
  return outputFiles[0]!.text
}

beforeAll(async () => {
  const launch = chromium().then((found) => driver.launch(found))
  ;[stages, browser, script] = await Promise.all([serveStages(), launch, bundle()])
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await stages?.close()
})

/** A page with a client of an object as `client`, the events that it heard as `heard`, and its sockets as `sockets`. */
const open = async (name: string, user: string, context?: BrowserContext): Promise<Page> => {
  const page = await (context ?? (await browser.newContext())).newPage()
  await page.goto(stages.http)
  await page.addScriptTag({ content: script })
  await page.evaluate(
    ([url, user]) => {
      const window = globalThis as any
      const { WebSocket } = window
      window.sockets = []
      window.heard = []
      const client = window.pairwire.createClient(url, {
        params: { name: user },
        connect(url: string, protocol: string) {
          const socket = new WebSocket(url, protocol)
          window.sockets.push(socket)
          return socket
        },
      })
      window.client = client
      client.events().subscribe({ onData: (event: string) => window.heard.push(event) })
      return client.echo('')
    },
    [`${stages.ws}/${name}`, user],
  )
  return page
}

const heard = (page: Page) => page.evaluate('heard')

/** Closes the client, and measures how long the browser takes for it. */
const close = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<{ code: number; clean: boolean; took: number }>((resolve) => {
        const { client, sockets } = globalThis as any
        const begun = performance.now()
        sockets[0].addEventListener('close', ({ code, wasClean: clean }: any) =>
          resolve({ code, clean, took: performance.now() - begun }),
        )
        client.$connection.close()
      }),
  )

describe('a page in a browser', { timeout: 30_000 }, () => {
  it.each(['awake', 'asleep'])('closes without waiting while the object is %s', async (state) => {
    const page = await open(state, 'Ada')
    if (state === 'asleep') await stages.evict(state)
    const { code, clean, took } = await close(page)
    expect({ code, clean }).toEqual({ code: 1000, clean: true })
    expect(took).toBeLessThan(1_000)
    expect(await stages.lives(state)).toBe(state === 'asleep' ? 2 : 1)
    await expect.poll(() => stages.call(state, 'count'), SOON).toMatchObject({ sockets: 0, held: { sessions: 0 } })
    await page.close()
  })

  it('is one of two tabs of one user, and the other goes on when it is closed', async () => {
    const people = stages.connect('tabs', { params: { name: 'Bob' } })
    const seen: unknown[] = []
    const stop = people.people().subscribe({ onData: (event) => seen.push(event) })
    await people.echo('')
    const one = await open('tabs', 'Ada')
    const two = await open('tabs', 'Ada', one.context())
    await stages.evict('tabs')
    await stages.call('tabs', 'announce', 'to both')
    await expect.poll(() => heard(one), SOON).toEqual(['to both'])
    await expect.poll(() => heard(two), SOON).toEqual(['to both'])

    // A tab that is shut says nothing: its socket is gone, also for an object that sleeps.
    await stages.evict('tabs')
    await one.close()
    await expect.poll(() => stages.call('tabs', 'count'), SOON).toMatchObject({ sockets: 2 })
    await stages.call('tabs', 'announce', 'to the other')
    await expect.poll(() => heard(two), SOON).toEqual(['to both', 'to the other'])
    await two.close()
    await expect
      .poll(() => seen, SOON)
      .toEqual([
        { type: 'all', members: [{ id: 'Bob' }] },
        { type: 'join', member: { id: 'Ada' } },
        { type: 'leave', member: { id: 'Ada' } },
      ])
    stop()
    people.$connection.close()
  })
})
