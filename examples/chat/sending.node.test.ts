import { describe, expect, it } from 'vitest'
import { faults } from './drive/faults.ts'
import { gate } from './drive/gate.ts'
import { poll, stage, words } from './drive/stage.ts'
import type { Visitor } from './drive/visitor.ts'

const { newRoom, two } = stage()

describe('a message that was not answered in time', () => {
  it('says so, is tried again, and never said twice', async () => {
    const { come } = newRoom()
    const { prepare, shut, open } = gate()
    const [grace, ada] = await Promise.all([come('Grace'), come('Ada', { prepare })])
    shut()
    await ada.say('once')
    await grace.hears('once')
    expect((await ada.log()).at(-1)).toMatchObject({ text: 'once', fate: 'sending' })
    await ada.page.clock.fastForward(8_100)
    await poll(async () => (await ada.log()).at(-1)?.fate).toBe(
      'No answer. It may have arrived; trying again will not say it twice.',
    )
    expect(await faults(ada)).toEqual([])
    await ada.press('Try again')
    open()
    await ada.hears('once')
    await ada.say('and this')
    await grace.hears('and this')
    expect(await words(grace)).toEqual(['once', 'and this'])
    await poll(() => words(ada)).toEqual(['once', 'and this'])
  })

  it('is one message also when the object sleeps between its two attempts', async () => {
    const { come, evict } = newRoom()
    const { prepare, shut, open } = gate()
    const [grace, ada] = await Promise.all([come('Grace'), come('Ada', { prepare })])
    shut()
    await ada.say('once')
    await grace.hears('once')
    await ada.page.clock.fastForward(8_100)
    await poll(async () => (await ada.log()).at(-1)?.fate).toMatch(/^No answer/)
    await evict()
    await ada.press('Try again')
    open()
    await ada.hears('once')
    await ada.say('and this')
    await grace.hears('and this')
    expect(await words(grace)).toEqual(['once', 'and this'])
  })

  it('has the answer of its only run, also after a sleep', async () => {
    const { connect, evict } = newRoom()
    const client = connect()
    await using _ = client.$connection
    const id = crypto.randomUUID()
    const first = await client.post({ id, text: 'once' }, { key: id })
    await evict()
    expect(await client.post({ id, text: 'once' }, { key: id })).toEqual(first)
  })

  it('goes on when its page is loaded again', async () => {
    const { come } = newRoom()
    const { prepare, shut, open } = gate()
    const [grace, ada] = await Promise.all([come('Grace'), come('Ada', { prepare })])
    shut()
    await ada.say('once')
    await grace.hears('once')
    open()
    await ada.page.reload()
    await ada.stands('Connected')
    await ada.hears('once')
    await ada.say('and this')
    await grace.hears('and this')
    expect(await words(grace)).toEqual(['once', 'and this'])
    await poll(() => words(ada)).toEqual(['once', 'and this'])
  })

  it('can be thrown away, where there was no connection', async () => {
    const { come } = newRoom()
    const { prepare, cut, mend } = gate()
    const [ada, grace] = await Promise.all([come('Ada'), come('Grace', { prepare })])
    await cut()
    await grace.say('never said')
    await grace.stands('Connection lost, trying again')
    await grace.page.clock.fastForward(8_100)
    await poll(async () => (await grace.log()).at(-1)?.fate).toBe('Not sent: no connection.')
    await grace.press('Discard')
    expect(await words(grace)).toEqual([])
    mend()
    await grace.press('Reconnect now')
    await grace.say('said')
    await ada.hears('said')
    expect(await words(ada)).toEqual(['said'])
  })
})

describe('a picture', () => {
  const wall = (side: number) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#a34f1d"/></svg>`
  const attach = (visitor: Visitor, name: string, mimeType: string, text: string) =>
    visitor.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer: Buffer.from(text) })
  const shown = (visitor: Visitor) =>
    visitor.page
      .locator('.figure img')
      .evaluateAll((all) =>
        (all as HTMLImageElement[]).map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]),
      )

  it('is made smaller, sent as bytes, and shown to others, also later', async () => {
    const { ada, grace, evict, come } = await two()
    await attach(ada, 'wall.svg', 'image/svg+xml', wall(3_000))
    await poll(() => ada.text('.attachment p')).toMatch(/^1600 × 1600\d+ kB$/)
    await ada.say('a wall')
    await grace.hears('a wall')
    await poll(() => shown(grace)).toEqual([[1_600, 1_600]])
    await poll(() => shown(ada)).toEqual([[1_600, 1_600]])
    await evict()
    const barbara = await come('Barbara')
    await poll(() => shown(barbara)).toEqual([[1_600, 1_600]])
  })

  it('may be pasted or dropped', async () => {
    const { ada, grace } = await two()
    for (const type of ['paste', 'drop']) {
      await ada.field.evaluate(async (field, type) => {
        const canvas = new OffscreenCanvas(40, 30)
        canvas.getContext('2d')!.fillRect(0, 0, 20, 20)
        const blob = await canvas.convertToBlob({ type: 'image/png' })
        const data = new DataTransfer()
        data.items.add(new File([blob], 'square.png', { type: 'image/png' }))
        const init = { bubbles: true, cancelable: true }
        const event =
          type === 'paste'
            ? new ClipboardEvent(type, { ...init, clipboardData: data })
            : new DragEvent(type, { ...init, dataTransfer: data })
        field.dispatchEvent(event)
      }, type)
      await poll(() => ada.text('.attachment p')).toMatch(/^40 × 30/)
      await ada.say(type)
      await grace.hears(type)
    }
    await poll(() => shown(grace)).toEqual([
      [40, 30],
      [40, 30],
    ])
  })

  it('that is none is refused in words, and Escape takes one away', async () => {
    const ada = await newRoom().come('Ada')
    await attach(ada, 'words.png', 'image/png', 'these are words')
    await poll(() => ada.text('.problem')).toBe('This is no picture that your browser can read.')
    await attach(ada, 'wall.svg', 'image/svg+xml', wall(50))
    await poll(() => ada.text('.attachment p')).toMatch(/^50 × 50/)
    await ada.field.press('Escape')
    await poll(() => ada.page.locator('.attachment').count()).toBe(0)
  })
})
