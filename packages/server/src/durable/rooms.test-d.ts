import { DurableObject } from 'cloudflare:workers'
import { defineContract, mutation, subscription, type } from '@pairwire/contract'
import { implement } from '@pairwire/router'
import { memoryTopic } from '../memory-topic.ts'
import { type RoomCall, type Rooms, rooms } from './rooms.ts'
import { vouchedFor } from './vouched.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._check: Equal<Actual, Expected> extends true ? [] : ['another type']): void => {}

interface Env {
  readonly ROOMS: DurableObjectNamespace<ChatRoom>
  readonly OTHER: DurableObjectNamespace<OtherRoom>
  readonly NAME: string
}
interface User {
  readonly name: string
}

const contract = defineContract({
  post: mutation({ input: type<string>(), output: type<number>() }),
  messages: subscription({ output: type<string>() }),
})

class ChatRoom extends DurableObject<Env> {
  messages = memoryTopic<string>()
  router = implement(contract)
    .context<User>()
    .handlers({ post: () => 1, messages: () => this.messages.subscribe() })
  announce(text: string, _options?: { loud: boolean }): string {
    return this.messages.publish(text)
  }
  async since(at: Date): Promise<Map<string, Date>> {
    return new Map([['', at]])
  }
}
class OtherRoom extends DurableObject<Env> {
  other(): void {}
}

const chatRooms = rooms<ChatRoom, Env, User>({
  path: '/rooms/:name',
  namespace: (env) => env.ROOMS,
  origins: ['https://chat.example'],
  authenticate: ({ request, name, env }) => ({ name: name + env.NAME + request.url }),
  locationHint: ({ request }) => (request.cf?.continent === 'EU' ? 'weur' : undefined),
})
expectType<Rooms<ChatRoom, Env>>()(chatRooms)
export default { fetch: chatRooms.fetch } satisfies ExportedHandler<Env>
declare const env: Env
declare const request: Request
expectType<string | undefined>()(chatRooms.match(request))
expectType<Promise<Response>>()(chatRooms.fetch(request, env))

// The room's methods, for other Workers.
const room = chatRooms.get(env, 'lobby', { locationHint: 'weur' })
expectType<DurableObjectStub<ChatRoom>>()(room)
const said: string = await room.announce('hello', { loud: true })
const map: Map<string, Date> = await room.since(new Date())
expectType<string>()(said)
expectType<Map<string, Date>>()(map)
// @ts-expect-error a number
room.announce(1)
// @ts-expect-error no such method
room.other()
// @ts-expect-error no such place
chatRooms.get(env, 'lobby', { locationHint: 'moon' })
// @ts-expect-error another env
chatRooms.get({}, 'lobby')

// What is not told is inferred, where the bindings are.
const inferred = rooms({
  path: '/:name',
  namespace: (env: Env) => env.ROOMS,
  authenticate: async () => 1,
  locationHint: 'me',
})
expectType<Rooms<ChatRoom, Env>>()(inferred)
expectType<(call: RoomCall<Env>) => string>()((call: RoomCall<Env>) => call.name)
rooms<ChatRoom, Env>({ path: '/:name', namespace: (env) => env.ROOMS.jurisdiction('eu') })
// @ts-expect-error rooms of another class
rooms<ChatRoom, Env>({ path: '/:name', namespace: (env) => env.OTHER })
// @ts-expect-error not a user
rooms<ChatRoom, Env, User>({ path: '/:name', namespace: (env) => env.ROOMS, authenticate: () => 1 })
// @ts-expect-error which rooms
rooms<ChatRoom, Env>({ path: '/:name' })

expectType<unknown>()(vouchedFor(request)?.identity)
