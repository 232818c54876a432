import type { ChatRoom } from './room.ts'

export interface Env {
  ROOMS: DurableObjectNamespace<ChatRoom>
  /** Evicts objects from memory. Only `npm start` has one. */
  DEV?: Fetcher
}
