import { createClient, safe } from '@pairwire/client'
import { createClient as createJsonClient } from '@pairwire/client/json'
import type { Chat } from './contract.ts'
import type { router } from './router.ts'

// Exported without annotations, as apps do.
export const client = createClient<typeof router>('wss://chat.example/rooms/lobby', { params: () => ({ token: '1' }) })
export const jsonClient = createJsonClient<Chat>('wss://chat.example/rooms/lobby')
export const post = (text: string) => client.post({ text }, { timeout: 2_000 })
export const safePost = (text: string) => safe(client.post({ text }))
export const messages = () => client.messages()
export const upload = client.files.upload
export const connection = client.$connection

export async function render(list: HTMLElement) {
  const { error, data } = await safePost('hello')
  if (error?.code === 'MUTED') list.title = error.data.until.toISOString()
  else if (data) list.append(data.text)
  for await (const message of client.messages()) list.append(`${message.at.getTime()} ${message.author}`)
  return client.messages().subscribe({ onData: ({ text }) => list.append(text) })
}
