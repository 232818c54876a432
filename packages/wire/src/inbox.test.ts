import { expect, it, vi } from 'vitest'
import { createInbox } from './inbox.ts'

const open = () => {
  const account = { granted: [] as number[], unread: 0, seen: [] as string[], leave: vi.fn() }
  const inbox = createInbox<string>({
    weigh(change) {
      account.unread += change
    },
    leave: account.leave,
    seen: (id) => account.seen.push(id),
  })
  const put = (...values: string[]) => {
    for (const value of values) inbox.push({ value, weight: value.length })
  }
  const ask = () => inbox.push({ weight: 64, reached: () => account.granted.push(10) })
  return { inbox, put, ask, account }
}

const done = { done: true, value: undefined }
const item = (value: string | undefined) => ({ done: false, value })

it('gives values in their order, to readers that came before them and after', async () => {
  const { inbox, put } = open()
  const early = [inbox.next(), inbox.next()]
  put('a', 'b', 'c')
  expect(await Promise.all(early)).toEqual([item('a'), item('b')])
  expect(await inbox.next()).toEqual(item('c'))
})

it('gives each value to one reader, where several wait', async () => {
  const { inbox, put } = open()
  const readers = [inbox.next(), inbox.next(), inbox.next()]
  put('a')
  expect(await readers[0]).toEqual(item('a'))
  put('b', 'c')
  expect(await Promise.all(readers)).toEqual([item('a'), item('b'), item('c')])
})

it('is iterated until its end', async () => {
  const { inbox, put, account } = open()
  put('a', 'b')
  inbox.end()
  const got: unknown[] = []
  for await (const value of inbox) got.push(value)
  expect(got).toEqual(['a', 'b'])
  expect(account.leave).not.toHaveBeenCalled()
})

it('gives undefined as a value like any other', async () => {
  const { inbox } = open()
  inbox.push({ value: undefined as never, weight: 1 })
  expect(await inbox.next()).toEqual(item(undefined))
})

it('ends every reader that waits', async () => {
  const { inbox } = open()
  const readers = [inbox.next(), inbox.next()]
  inbox.end()
  expect(await Promise.all(readers)).toEqual([done, done])
})

it('throws its error once, after what was queued', async () => {
  const { inbox, put } = open()
  put('a')
  inbox.end({ error: new Error('mine') })
  expect(await inbox.next()).toEqual(item('a'))
  await expect(inbox.next()).rejects.toThrow('mine')
  expect(await inbox.next()).toEqual(done)
})

it('takes nothing after its end, and keeps to its first end', async () => {
  const { inbox, put, account } = open()
  inbox.end()
  put('late')
  inbox.end({ error: new Error('later') })
  expect(account.unread).toBe(0)
  expect(await inbox.next()).toEqual(done)
})

it('grants what is asked for only when all that came before has been read', async () => {
  const { inbox, put, ask, account } = open()
  put('a', 'b')
  ask()
  put('c')
  await inbox.next()
  await inbox.next()
  expect(account.granted).toEqual([])
  expect(await inbox.next()).toEqual(item('c'))
  expect(account.granted).toEqual([10])
})

it('grants at once what is asked of a reader that waits, who goes on waiting', async () => {
  const { inbox, put, ask, account } = open()
  const reader = inbox.next()
  ask()
  await new Promise((resolve) => setTimeout(resolve))
  expect(account.granted).toEqual([10])
  put('a')
  expect(await reader).toEqual(item('a'))
})

it('weighs what lies unread, down to nothing', async () => {
  const { inbox, put, ask, account } = open()
  put('abc', 'de')
  ask()
  expect(account.unread).toBe(69)
  await inbox.next()
  expect(account.unread).toBe(66)
  inbox.end()
  await inbox.next()
  await inbox.next()
  expect(account.unread).toBe(0)
})

it('drops what is queued when its reader leaves, and tells its owner once', async () => {
  const { inbox, put, ask, account } = open()
  put('a', 'b')
  ask()
  expect(await inbox.return()).toEqual(done)
  await inbox.return()
  expect(account).toMatchObject({ unread: 0, granted: [] })
  expect(account.leave).toHaveBeenCalledTimes(1)
  put('late')
  inbox.end({ error: new Error('late') })
  expect(account.unread).toBe(0)
  expect(await inbox.next()).toEqual(done)
})

it('wakes a reader that waits when another leaves', async () => {
  const { inbox } = open()
  const reader = inbox.next()
  await inbox.return()
  expect(await reader).toEqual(done)
})

it('is not left early once it has ended', async () => {
  const { inbox, put, account } = open()
  put('a')
  inbox.end({ error: new Error('unread') })
  await inbox.return()
  expect(account.unread).toBe(0)
  expect(account.leave).not.toHaveBeenCalled()
  expect(await inbox.next()).toEqual(done)
})

it('is left by a loop that breaks', async () => {
  const { inbox, put, account } = open()
  put('a', 'b')
  for await (const _ of inbox) break
  expect(account.unread).toBe(0)
  expect(account.leave).toHaveBeenCalledTimes(1)
})

it('says how much is queued, values and what is to be done alike', async () => {
  const { inbox, put, ask } = open()
  expect(inbox.unread()).toBe(0)
  put('a')
  ask()
  expect(inbox.unread()).toBe(2)
  await inbox.next()
  expect(inbox.unread()).toBe(1)
  await inbox.return()
  expect(inbox.unread()).toBe(0)
})

it('tells the id of each event that is read, and of none that waits or has no id', async () => {
  const { inbox, put, account } = open()
  inbox.push({ value: 'a', weight: 1, id: 'e.1' })
  put('b')
  inbox.push({ value: 'c', weight: 1, id: 'e.2' })
  expect(account.seen).toEqual([])
  await inbox.next()
  await inbox.next()
  expect(account.seen).toEqual(['e.1'])
  await inbox.return()
  expect(account.seen).toEqual(['e.1'])
})
