import { mask, type OnError } from '@pairwire/router'
import { FORBIDDEN, OVERLOADED, type RichTypes } from '@pairwire/wire'
import { type Origins, refuseOrigin } from '../origin.ts'
import { refuseRequest } from '../refusal.ts'
import { refuseName, roomPath } from './room-path.ts'
import { turnAway, turnAwayFor } from './turn-away.ts'
import { vouch } from './vouched.ts'

/** An upgrade that asks for a room. */
export interface RoomCall<Env> {
  /** Its URL, cookies and headers. The client's `params` are not there yet: they come over the socket, to the object. */
  readonly request: Request
  readonly env: Env
  /** The room's name, decoded: 1 to 128 characters, of which anybody can send any. */
  readonly name: string
}

/** How a Worker leads to its rooms. */
export interface RoomsOptions<Room extends Rpc.DurableObjectBranded | undefined, Env, Identity> {
  /** Where they are: segments, and one of them `:name`. */
  path: string
  /** The binding of the rooms' class, or a jurisdiction of it: `env.ROOMS.jurisdiction('eu')`. */
  namespace(env: Env): DurableObjectNamespace<Room>
  /** Pages that may connect. @default the Worker's own host only */
  origins?: Origins | undefined
  /**
   * Decides who an upgrade belongs to, and whether there is such a room for them, before the object is woken. Returns a
   * plain value, which the object's own `authenticate` finds as `identity`.
   * Throw `RpcError('UNAUTHENTICATED')` (close code 4301) or `RpcError('PERMISSION_DENIED')` (4003) to refuse.
   */
  authenticate?(call: RoomCall<Env>): Identity | Promise<Identity>
  /** Where in the world a room is made, the first time that anybody asks for it. Later it changes nothing. */
  locationHint?: DurableObjectLocationHint | ((call: RoomCall<Env>) => DurableObjectLocationHint | undefined)
  /** Hears of each error that is hidden from a client, with the id that the client got. @default console.error */
  onError?: OnError | undefined
  /** Types that an identity may have beside JSON. Give the object the same. @default superjson's built-in ones */
  types?: RichTypes | undefined
}

/** Durable Objects that are reached by name. */
export interface Rooms<Room extends Rpc.DurableObjectBranded | undefined, Env> {
  /**
   * A Worker's `fetch`: passes an upgrade on to its room, if it may connect. Anything else is answered without waking an
   * object: 404 for a path that is no room's, 426 for a request that is no upgrade.
   *
   * @example
   * export default { fetch: chatRooms.fetch }
   */
  fetch(request: Request, env: Env, ctx?: unknown): Promise<Response>
  /**
   * The name of the room that a request's path leads to; undefined for any other path. Nothing is checked.
   *
   * @example
   * if (chatRooms.match(request) !== undefined) return chatRooms.fetch(request, env)
   */
  match(request: Request): string | undefined
  /**
   * A room, for calls from this Worker: the public methods of its class. It is woken by the first of them.
   *
   * @throws TypeError for a name that no URL could lead to
   * @example
   * await chatRooms.get(env, 'lobby').announce('We close in five minutes')
   */
  get(env: Env, name: string, options?: RoomOptions): DurableObjectStub<Room>
}

export interface RoomOptions {
  /** Where in the world the room is made, if it is not there yet. @default that of `rooms`, if it is not a function */
  locationHint?: DurableObjectLocationHint | undefined
}

/**
 * Routes `/rooms/:name` to the Durable Object of that name. Who may not connect is turned away here, in the Worker, where
 * it costs nothing: no object is woken for them, and none is made. A browser learns the reason, as a close code.
 *
 * @throws TypeError for a path without exactly one segment `:name`
 * @example
 * const chatRooms = rooms<ChatRoom, Env>({ path: '/rooms/:name', namespace: (env) => env.ROOMS })
 * export default { fetch: chatRooms.fetch }
 */
export const rooms = <Room extends Rpc.DurableObjectBranded | undefined = undefined, Env = unknown, Identity = unknown>(
  options: RoomsOptions<Room, Env, Identity>,
): Rooms<Room, Env> => {
  const { origins, onError, types } = options
  const find = roomPath(options.path)

  const stubOf = (env: Env, name: string, locationHint: DurableObjectLocationHint | undefined) => {
    const namespace = options.namespace(env) as DurableObjectNamespace<Room> | undefined
    if (!namespace) throw new TypeError('rooms(): namespace returned none: is its binding in the wrangler file?')
    return namespace.getByName(name, locationHint && { locationHint })
  }

  /** Why an upgrade may not come in, whoever asks. */
  const refuse = (request: Request, problem: string | undefined): string | undefined => {
    try {
      return refuseOrigin(request, origins) ?? problem
    } catch (error) {
      return mask(error, 'origins', 'query', onError).message
    }
  }

  const enter = async (call: RoomCall<Env>): Promise<Response> => {
    const { request, env, name } = call
    let identity: unknown
    try {
      identity = await options.authenticate?.(call)
    } catch (error) {
      return turnAwayFor(error, 'authenticate', onError)
    }
    try {
      const { locationHint: hint } = options
      const stub = stubOf(env, name, typeof hint === 'function' ? hint(call) : hint)
      // Untouched, as the platform passes it on: a Worker that stood between the sockets would keep the object awake.
      return await stub.fetch(vouch(request, { identity, name }, types))
    } catch (error) {
      const { overloaded, retryable } = Object(error) as { overloaded?: unknown; retryable?: unknown }
      if (overloaded) return turnAway(OVERLOADED, 'the room has too much to do')
      if (retryable) return turnAway(OVERLOADED, 'the room cannot be reached at the moment')
      return turnAwayFor(error, 'rooms', onError)
    }
  }

  return {
    async fetch(request, env) {
      const found = find(new URL(request.url).pathname)
      if (!found) return new Response('There is no room at this path.\n', { status: 404 })
      const response = refuseRequest(request)
      if (response) return response
      const refused = refuse(request, found.problem)
      return refused ? turnAway(FORBIDDEN, refused) : enter({ request, env, name: found.name })
    },
    match: (request) => find(new URL(request.url).pathname)?.name,
    get(env, name, { locationHint } = {}) {
      const problem = refuseName(name)
      if (problem) throw new TypeError(`rooms(): ${JSON.stringify(name)}: ${problem}`)
      const { locationHint: hint } = options
      return stubOf(env, name, locationHint ?? (typeof hint === 'function' ? undefined : hint))
    },
  }
}
