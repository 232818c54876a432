import { createClient, type PairwireClient } from '@pairwire/client'
import type { chat } from '../contract.ts'
import type { Line } from './line.ts'

/** The contract is known as a type alone, so that nothing of it is in the page's script. */
export type ChatClient = PairwireClient<typeof chat>

export const connectTo = (room: string, visitor: () => { name: string; key: string }, line: Line): ChatClient =>
  createClient<typeof chat>(`/rooms/${room}`, { params: visitor, connect: line.connect })
