import { describe, expect, it } from 'vitest'
import { gate } from './drive/gate.ts'
import { poll, stage, words } from './drive/stage.ts'

const { newRoom, two } = stage()

describe('two pages', () => {
  it('hear each other, each message once and in one order', async () => {
    const { ada, grace } = await two()
    for (const n of [1, 2, 3, 4, 5]) await Promise.all([ada.say(`Ada ${n}`), grace.say(`Grace ${n}`)])
    await Promise.all([ada.hears('Grace 5'), grace.hears('Ada 5')])
    await poll(() => words(ada)).toHaveLength(10)
    await poll(() => words(grace)).toEqual(await words(ada))
  })

  it('go on while the object is evicted between any two words', async () => {
    const { ada, grace, evict } = await two()
    const lives = new Set([await ada.life()])
    for (const n of [1, 2, 3]) {
      await evict()
      await ada.say(`Ada ${n}`)
      await grace.hears(`Ada ${n}`)
      await evict()
      await grace.say(`Grace ${n}`)
      await ada.hears(`Grace ${n}`)
      // Either page may hear of it first.
      await poll(async () => (await ada.life()) === (await grace.life())).toBe(true)
      lives.add(await ada.life())
    }
    expect(lives.size).toBe(4)
    expect(await words(ada)).toEqual(['Ada 1', 'Grace 1', 'Ada 2', 'Grace 2', 'Ada 3', 'Grace 3'])
    expect(await words(grace)).toEqual(await words(ada))
    // Nobody had to come back.
    expect(await ada.text('.wiring > div:first-child code')).toBe('socket 1')
    expect(await grace.text('.wiring > div:first-child code')).toBe('socket 1')
  })

  it('go on when the code is deployed again, and every socket lost', async () => {
    const { ada, grace, deploy } = await two()
    await ada.say('before')
    await grace.hears('before')
    await Promise.all([deploy(), ada.say('meanwhile')])
    await Promise.all([ada.stands('Connected'), grace.stands('Connected')])
    await grace.say('after')
    await Promise.all([ada.hears('after'), grace.hears('meanwhile')])
    await poll(() => words(grace)).toHaveLength(3)
    expect(new Set(await words(grace))).toEqual(new Set(['before', 'meanwhile', 'after']))
    await poll(() => words(ada)).toEqual(await words(grace))
    await poll(async () => (await ada.people()).sort()).toEqual(['Ada you', 'Grace'])
  })

  it('go on when a socket is dropped, also while the object sleeps', async () => {
    const { ada, grace, evict } = await two()
    await ada.say('before')
    await grace.hears('before')
    await grace.press('Drop the socket')
    await grace.stands('Connection lost, trying again')
    await grace.say('written without a socket')
    await ada.say('said meanwhile')
    await ada.hears('said meanwhile')
    await evict()
    await grace.press('Reconnect now')
    await grace.stands('Connected')
    await Promise.all([ada.hears('written without a socket'), grace.hears('said meanwhile')])
    expect(await words(ada)).toEqual(['before', 'said meanwhile', 'written without a socket'])
    await poll(() => words(grace)).toEqual(await words(ada))
  })
})

it('shows the last messages to who was away for longer than the room keeps what they missed', async () => {
  const { come, fill, evict } = newRoom()
  const { prepare, cut, mend } = gate()
  const grace = await come('Grace', { prepare })
  await grace.say('before')
  await grace.hears('before')
  await cut()
  await fill(Array.from({ length: 1_010 }, (_, n) => `missed ${n}`))
  await evict()
  mend()
  await grace.press('Reconnect now')
  await grace.hears('missed 1009')
  await poll(() => words(grace)).toHaveLength(50)
  expect((await words(grace))[0]).toBe('missed 960')
  await grace.press('Earlier messages')
  await poll(async () => (await words(grace))[0]).toBe('missed 910')
})

describe('the button', () => {
  it('puts the object to sleep, and says when it was woken, and as what', async () => {
    const { ada, grace } = await two()
    const before = await ada.life()
    await ada.press('Evict the object')
    await poll(() => ada.text('#life')).toBe(`asleep, not in memory ${before}`)
    await grace.say('hello')
    await ada.hears('hello')
    await poll(() => ada.text('#life')).toMatch(new RegExp(`^awake ${before} → \\w{6}$`))
    expect(await ada.text('.wiring > div:last-child')).toContain('Woken 1 time so far.')
  })
})

describe('who is there', () => {
  it('is shown as they come, are renamed, and leave', async () => {
    const { ada, grace, evict } = await two()
    await poll(async () => (await ada.people()).sort()).toEqual(['Ada you', 'Grace'])
    await grace.press('Change your name')
    await grace.page.keyboard.type('Grace Hopper')
    await grace.page.keyboard.press('Enter')
    await poll(() => ada.people()).toEqual(['Ada you', 'Grace Hopper'])
    expect(await ada.text('.header p')).toBe('2 people')
    await evict()
    await grace.say('under another name')
    await ada.hears('under another name')
    expect((await ada.log()).at(-1)?.who).toBe('Grace Hopper')
    expect(await grace.text('.wiring > div:first-child code')).toBe('socket 1')
    await grace.leave()
    await poll(() => ada.people()).toEqual(['Ada you'])
    await poll(() => ada.text('.header p')).toBe('only you')
  })

  it('is right after a sleep, in which somebody left', async () => {
    const { ada, grace, evict, come } = await two()
    await evict()
    await grace.leave()
    await poll(() => ada.people()).toEqual(['Ada you'])
    await come('Barbara')
    await poll(() => ada.people()).toEqual(['Ada you', 'Barbara'])
  })

  it('is one person in two tabs', async () => {
    const { come } = newRoom()
    const ada = await come('Ada')
    const tab = await ada.page.context().newPage()
    await tab.goto(ada.page.url())
    const grace = await come('Grace')
    await poll(() => grace.people()).toEqual(['Grace you', 'Ada'])
    await tab.close()
    await ada.say('still here')
    await grace.hears('still here')
    expect(await grace.people()).toEqual(['Grace you', 'Ada'])
  })
})

it('leaves a room also where the line to it was cut', async () => {
  const { ada, grace } = await two()
  await poll(() => ada.people()).toHaveLength(2)
  await grace.press('Drop the socket')
  await grace.page.getByRole('link', { name: 'workshop' }).click()
  await grace.stands('Connected')
  await poll(() => ada.people()).toEqual(['Ada you'])
})

describe('typing', () => {
  it('is seen by others, and over when something is said', async () => {
    const { ada, grace } = await two()
    await ada.field.pressSequentially('I am about to')
    await poll(() => grace.text('.typists')).toBe('Ada is typing')
    expect(await ada.text('.typists')).toBe('')
    await ada.field.press('Enter')
    await grace.hears('I am about to')
    await poll(() => grace.text('.typists')).toBe('')
  })

  it('is seen after a sleep, and fades away by itself', async () => {
    const { come, evict } = newRoom()
    const [ada, grace] = await Promise.all([come('Ada'), come('Grace', { prepare: (page) => page.clock.install() })])
    await evict()
    await ada.field.pressSequentially('well')
    await poll(() => grace.text('.typists')).toBe('Ada is typing')
    await grace.page.clock.fastForward(5_100)
    await poll(() => grace.text('.typists')).toBe('')
  })
})

it('leads to other rooms, each with a talk of its own', async () => {
  const { ada, grace } = await two()
  await ada.say('in the first room')
  await grace.hears('in the first room')
  await grace.page.getByRole('link', { name: 'night-shift' }).click()
  await poll(() => new URL(grace.page.url()).pathname).toBe('/rooms/night-shift')
  await grace.stands('Connected')
  await poll(() => words(grace)).toEqual([])
  await poll(() => ada.people()).toEqual(['Ada you'])
  await grace.page.goBack()
  await grace.hears('in the first room')
})
