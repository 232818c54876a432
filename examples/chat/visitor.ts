import { RpcError } from '@pairwire/server'
import { z } from 'zod'
import type { Person } from './contract.ts'
import { NAME_LENGTH } from './limits.ts'

/** What a page says of its visitor. The key is a random one that the browser keeps for itself. */
const Visitor = z.object({ name: z.string().trim().min(1).max(NAME_LENGTH), key: z.uuid() })

/**
 * Nobody logs in here, so this decides only which visits are the same person's. All see the id, and the key behind it
 * stays with its owner: or one could go on with the calls of another.
 */
export const recognise = async (params: unknown): Promise<Person> => {
  const { success, data } = Visitor.safeParse(params)
  if (!success) throw new RpcError('UNAUTHENTICATED', 'A visitor has a name of 1 to 32 characters, and a key.')
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(data.key))
  const id = Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { id, name: data.name }
}
