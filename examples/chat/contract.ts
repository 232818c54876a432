import { defineContract, mutation, query, subscription, type } from '@pairwire/contract'
import type { PresenceEvent } from '@pairwire/server'
import { z } from 'zod'
import { PICTURE_BYTES, TEXT_LENGTH } from './limits.ts'

/** Somebody in a room. There is no login: a name is what its visitor says it is. */
export interface Person {
  id: string
  name: string
}

export interface Message {
  /** Chosen by the page that sent it, which so knows its own when it comes back. */
  id: string
  /** Its place in the room: every message has a greater one than those before it. */
  place: number
  author: Person
  text: string
  at: Date
  picture: Pick<Picture, 'width' | 'height'> | undefined
}

/** Some messages in a row, oldest first, and whether there are older ones. */
export interface History {
  messages: Message[]
  more: boolean
}

/** The last messages come first, then each new one. */
export type RoomEvent = ({ kind: 'history' } & History) | { kind: 'message'; message: Message }

/** Somebody began to type, or stopped. */
export interface Typing {
  person: Person
  typing: boolean
}

/** One life of the object in memory, from waking up to falling asleep. */
export interface Life {
  /** Another one after each sleep. */
  instance: string
  /** How often the object was woken, in all its days. */
  woken: number
  /** Whether there is somebody who can put it to sleep at the press of a button: `npm start` can, Cloudflare does not. */
  evictable: boolean
}

const Picture = z.object({
  type: z.enum(['image/webp', 'image/jpeg', 'image/png']),
  width: z.int().min(1).max(4_096),
  height: z.int().min(1).max(4_096),
  bytes: z.instanceof(Uint8Array).refine(({ length }) => length <= PICTURE_BYTES, 'The picture is too large.'),
})
export type Picture = z.infer<typeof Picture>

const Draft = z
  .object({ id: z.uuid(), text: z.string().trim().max(TEXT_LENGTH), picture: Picture.optional() })
  .refine(({ text, picture }) => text || picture, 'There is nothing in it.')
export type Draft = z.infer<typeof Draft>

export const chat = defineContract({
  /** Once: a page that does not know what became of its message asks again, with the same key, and never says it twice. */
  post: mutation({ input: Draft, output: type<Message>(), retry: 'once' }),
  messages: subscription({ output: type<RoomEvent>() }),
  earlier: query({ input: z.object({ before: z.int() }), output: type<History>() }),
  picture: query({ input: z.object({ message: z.uuid() }), output: type<Picture>(), errors: { GONE: null } }),

  me: query({ output: type<Person>() }),
  people: subscription({ output: type<PresenceEvent<Person>>() }),
  typing: {
    say: mutation({ input: z.boolean(), retry: 'idempotent' }),
    /** Without ids: who missed one missed nothing. */
    events: subscription({ output: type<Typing>() }),
  },
  life: subscription({ output: type<Life>() }),
})
