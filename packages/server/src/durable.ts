export { type DurableLedgerOptions, durableLedger } from './durable/durable-ledger.ts'
export {
  type AuthenticateCall,
  createDurableServer,
  type DurableServer,
  type DurableServerOptions,
} from './durable/durable-server.ts'
export { type DurableTopicOptions, durableTopic } from './durable/durable-topic.ts'
export { type RoomCall, type RoomOptions, type Rooms, type RoomsOptions, rooms } from './durable/rooms.ts'
export { RpcDurableObject, type RpcDurableObjectOptions } from './durable/rpc-durable-object.ts'
