export { type RoomCall, type RoomOptions, type Rooms, type RoomsOptions, rooms } from './durable/rooms.ts'
