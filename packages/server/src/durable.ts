export { type DurableTopicOptions, durableTopic } from './durable/durable-topic.ts'
export { type RoomCall, type RoomOptions, type Rooms, type RoomsOptions, rooms } from './durable/rooms.ts'
