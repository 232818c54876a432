import { defineContract, mutation, subscription, type } from '@pairwire/contract'
import type { PresenceEvent } from '@pairwire/server'
import { z } from 'zod'

const Message = z.object({ text: z.string(), at: z.date() })

export const room = defineContract({
  post: mutation({ input: z.object({ text: z.string().max(2_000) }), output: Message, retry: 'once' }),
  messages: subscription({ output: Message }),
  people: subscription({ output: type<PresenceEvent<{ id: string; user: { name: string } }>>() }),
  upper: subscription({ output: z.string() }),
})
