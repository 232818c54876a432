export { type DurableLedgerOptions, durableLedger } from './durable/durable-ledger.ts'
export {
  type AuthenticateCall,
  createDurableServer,
  type DurableServer,
  type DurableServerOptions,
} from './durable/durable-server.ts'
export { type DurableTopicOptions, durableTopic } from './durable/durable-topic.ts'
export { durablePresence, type Presence, type PresenceSubscription } from './durable/presence.ts'
export { type RoomCall, type RoomOptions, type Rooms, type RoomsOptions, rooms } from './durable/rooms.ts'
export { RpcDurableObject, type RpcDurableObjectOptions } from './durable/rpc-durable-object.ts'
export type { PresenceEvent } from './presence-event.ts'
export type { Topic, TopicEvents, TopicSubscription } from './topic.ts'
