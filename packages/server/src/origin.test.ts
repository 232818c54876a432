import { expect, it, vi } from 'vitest'
import { refuseOrigin } from './origin.ts'

// A browser lets nobody set Origin on a Request, so this is as much of one as is looked at.
const from = (origin: string | null, url = 'https://chat.example/rpc') =>
  ({ url, headers: { get: (name: string) => (name === 'Origin' ? origin : null) } }) as unknown as Request

it('lets in what says no origin, and so is no browser', () => {
  for (const origins of [undefined, [], '*', () => false] as const)
    expect(refuseOrigin(from(null), origins)).toBeUndefined()
})

it.each([
  ['https://chat.example', 'https://chat.example/rpc'],
  // Behind a proxy that ends TLS.
  ['https://chat.example', 'http://chat.example/rpc'],
  ['http://localhost:8787', 'http://localhost:8787/'],
  ['http://[::1]:8787', 'http://[::1]:8787/'],
])('lets the page of its own host in, where nothing else is said: %s to %s', (origin, url) => {
  expect(refuseOrigin(from(origin, url), undefined)).toBeUndefined()
})

it.each([
  'https://evil.example',
  'https://chat.example.evil.example',
  'https://evil-chat.example',
  'https://sub.chat.example',
  'https://chat.example:8443',
  'https://chat.example.',
  'https://chat.example/',
  'https://chat.example/rpc',
  'https://user@chat.example',
  'https://evil.example@chat.example',
  'https://evil.example#chat.example',
  'https://CHAT.example',
  'chat.example',
  '//chat.example',
  'null',
  '',
  ' ',
  'garbage',
  'file://',
  'https://chat.example, https://evil.example',
])('refuses any other, where nothing else is said: %o', (origin) => {
  expect(refuseOrigin(from(origin), undefined)).toBe(`origin ${origin} may not connect: add it to the server's origins`)
})

it('lets those in that are on its list, exactly, and not even itself if that is not', () => {
  const origins = ['https://app.example', 'https://other.example:8443']
  const refused = (origin: string) => refuseOrigin(from(origin), origins) !== undefined
  expect(origins.map(refused)).toEqual([false, false])
  for (const origin of ['https://app.example:8443', 'http://app.example', 'https://a.app.example', 'null'])
    expect(refused(origin)).toBe(true)
  expect(refused('https://chat.example')).toBe(true)
  expect(refuseOrigin(from('https://chat.example'), [])).toBeDefined()
})

it("lets everyone in for '*', which is none on a list", () => {
  for (const origin of ['https://evil.example', 'null', 'garbage']) {
    expect(refuseOrigin(from(origin), '*')).toBeUndefined()
    expect(refuseOrigin(from(origin), ['*'])).toBeDefined()
  }
})

it('asks a function, with the request', () => {
  const decide = vi.fn((origin: string) => origin.endsWith('.example'))
  const request = from('https://any.example')
  expect(refuseOrigin(request, decide)).toBeUndefined()
  expect(decide.mock.calls).toEqual([['https://any.example', request]])
  expect(refuseOrigin(from('null'), decide)).toBeDefined()
})
