import { implement, memoryTopic, tracked } from '@pairwire/server'
import { chat, type Message } from './contract.ts'

export interface User {
  name: string
  mutedUntil?: Date
}

export const messages = memoryTopic<Message>({ retain: 1_000 })
const said: Message[] = []

// Nothing here is annotated: the declaration of `router` is inferred, and so are those of what it is made from.
export const implementer = implement(chat).context<{ user: User }>()

export const router = implementer
  .use(({ ctx, next }) => next({ ctx: { greeting: `hello ${ctx.user.name}` } }))
  .handlers({
    history: ({ input }) => said.slice(-input.limit),
    post: ({ input, ctx, errors }) => {
      if (ctx.user.mutedUntil) throw errors.MUTED({ until: ctx.user.mutedUntil })
      const message = { id: crypto.randomUUID(), author: ctx.user.name, text: input.text, at: new Date() }
      said.push(message)
      messages.publish(message)
      return message
    },
    messages: ({ lastEventId }) => messages.subscribe({ lastEventId }),
    count: () => said.length,
    files: {
      upload: async ({ stream }) => {
        let size = 0
        for await (const chunk of stream) size += chunk.length
        return { size }
      },
      talk: async function* ({ stream, ctx }) {
        yield ctx.greeting
        let line = 0
        for await (const text of stream) yield tracked(String(line++), text.toUpperCase())
      },
    },
  })
export type Router = typeof router
