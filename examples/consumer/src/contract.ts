import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'
import { z } from 'zod'

export const Message = z.object({ id: z.string(), author: z.string(), text: z.string(), at: z.date() })
export type Message = z.infer<typeof Message>

export const chat = defineContract({
  history: query({ input: z.object({ limit: z.number().int().max(100) }), output: z.array(Message) }),
  post: mutation({
    input: z.object({ text: z.string().min(1).max(2_000) }),
    output: Message,
    errors: { MUTED: z.object({ until: z.date() }), CLOSED: null },
  }),
  messages: subscription({ output: Message }),
  count: query({ output: type<number>() }),
  files: {
    upload: mutation({
      input: z.object({ name: z.string() }),
      inputStream: z.instanceof(Uint8Array),
      output: z.object({ size: z.number() }),
    }),
    talk: subscription({ inputStream: z.string(), output: z.string() }),
  },
})
export type Chat = typeof chat
