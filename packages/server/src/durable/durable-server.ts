import type { RpcError } from '@pairwire/contract'
import { mask } from '@pairwire/router'
import {
  closeReason,
  ERROR,
  HEARTBEAT_LOST,
  HELLO_TIMEOUT,
  INTERNAL_CLOSE,
  type Line,
  OVERLOADED,
  PING,
  PONG,
  SUBPROTOCOL,
} from '@pairwire/wire'
import type { DrainOptions, Held } from '../host.ts'
import { refuseRequest } from '../refusal.ts'
import { refusalCode } from '../refusals.ts'
import type { KeptSession } from '../session.ts'
import { type Connection, type Connections, connectionsOf } from './connections.ts'
import type { AnyDurableServerOptions } from './durable-options.ts'
import { HibernatingSocket } from './hibernating-socket.ts'
import { type Head, Keeper } from './keeper.ts'
import { originFrom, originOf } from './origin-request.ts'
import { hasTables } from './schema.ts'
import { clearShelves, lastShelf, type Piece, Shelf } from './shelf.ts'
import { STATE_LOST } from './sleeper.ts'
import { createSleepingHost, type SleepingHost } from './sleeping-host.ts'

/** A router that clients of a hibernating Durable Object can call. Its methods are the object's own, to be passed on to. */
export interface DurableServer {
  /** Answers a WebSocket upgrade with a connection, and anything else with a text that says so. */
  fetch(request: Request): Response
  webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void | Promise<void>
  webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): void | Promise<void>
  webSocketError(ws: WebSocket, error: unknown): void | Promise<void>
  /** Whether a socket is this server's, in an object that has others as well. */
  owns(ws: WebSocket): boolean
  /** Moves every connection to another socket: see `Server.drain`. */
  drain(options?: DrainOptions): Promise<void>
  /** What is held in memory at the moment, for monitoring. */
  readonly held: Held
  /** Closes every connection (1001) and ends its session. */
  close(): void
}

/** By which sockets of ours are told from others of the same object. */
const TAG = 'pairwire'
/** Milliseconds that a wake-up waits for contexts; after 30,000 the platform resets the object, and drops every socket. */
const PATIENCE = 20_000
/** Milliseconds after which every socket that was lost in a sleep has been told of. */
const STALE = 10_000
/** Heartbeats of silence after which nobody is there. Browsers let a page in the background ping once a minute. */
const SILENCE = 3

/**
 * Makes a Durable Object a server whose sockets hibernate. `RpcDurableObject` is made of it; use it for a class that has
 * another base. Call it in the constructor, or in a field of the class.
 *
 * @param options a function may return them, for what is not there yet when this is called: it is asked once all fields are
 * @param hasSetup whether `setup` may be among them, if that is known before they are
 * @example
 * class Room extends SomeBase {
 *   rpc = createDurableServer(this.ctx, this.env, () => ({ router: this.router }))
 *   fetch(request) { return this.rpc.fetch(request) }
 *   webSocketMessage(ws, message) { return this.rpc.webSocketMessage(ws, message) }
 *   webSocketClose(ws, code, reason, wasClean) { return this.rpc.webSocketClose(ws, code, reason, wasClean) }
 *   webSocketError(ws, error) { return this.rpc.webSocketError(ws, error) }
 * }
 */
export const createDurableServer = (
  ctx: DurableObjectState,
  env: unknown,
  options: AnyDurableServerOptions | (() => AnyDurableServerOptions),
  hasSetup: boolean = typeof options === 'function' || !!options.setup,
): DurableServer => {
  const { storage } = ctx
  const keepers = new Map<WebSocket, Keeper>()
  /** Those that have not said hello. */
  const strangers = new Set<Keeper>()
  const listeners: (() => void)[] = []
  const missing: ((connection: Connection) => void)[] = []
  let awake: Promise<unknown> | undefined
  /** Clients whose sessions are not there again yet, by their sockets. */
  const waking = new Map<Keeper, { readonly order: number; readonly connection: Connection }>()
  let lastKey = 0
  let swept = 0
  const woken = Date.now()
  /** Whether there may be rows of sockets that were lost without a word. */
  let isStale = true
  let made: SleepingHost | undefined

  const server = (): SleepingHost => {
    made ??= createSleepingHost(ctx, typeof options === 'function' ? options() : options, changed)
    return made
  }

  const changed = () => {
    for (const listener of listeners) listener()
  }

  const report = (error: unknown) => mask(error, 'the Durable Object', 'query', made?.onError).message

  const keep = (ws: WebSocket, shelf: Shelf, at: number): Keeper => {
    const keeper = new Keeper(server().sleeper, shelf, new HibernatingSocket(ws), at)
    keepers.set(ws, keeper)
    return keeper
  }

  const accept = (keeper: Keeper, request: Request) => {
    strangers.add(keeper)
    server().host.accept(keeper.socket, { request, env }, keeper)
  }

  /** What is known of a socket that was there before this process. @throws undefined where that is lost */
  const recall = (ws: WebSocket, { shelf, pieces }: { shelf: Shelf; pieces: Map<string, Piece> }) => {
    const { host, sleeper } = server()
    const written = pieces.get('h')
    const from = pieces.get('ho')?.text
    if (shelf.broken || !written || !from || pieces.has('w')) throw undefined
    const head = JSON.parse(written.text) as Head
    const keeper = keep(ws, shelf, head.at)
    const read = keeper.read(head, pieces, host.codecs, refusePending)
    // It has not said hello.
    if (!read) return { ws, keeper, from }
    const { kept } = read
    const id = JSON.stringify([kept.hello.owner, kept.hello.codec.name, kept.hello.id])
    return { ws, keeper, from, id, kept, identity: sleeper.decode(read.identity, read.identity.joined) }
  }

  /** Goes on with the sockets that were there before this process. */
  const wake = async (sockets: WebSocket[]) => {
    const { host } = server()
    const found = sockets.flatMap((ws) => {
      try {
        const kept = Shelf.find(ws, storage)
        return kept ? [{ ws, ...kept }] : []
      } catch (error) {
        // Its rows cannot be read; others may have none.
        ws.close(INTERNAL_CLOSE, closeReason(report(error)))
        return []
      }
    })
    // Also of sockets that were lost meanwhile, whose close is yet to be told.
    lastKey = Math.max(hasTables(storage) ? lastShelf(storage) : 0, ...found.map(({ shelf }) => shelf.key))
    const known = found.flatMap(({ ws, ...kept }) => {
      try {
        return [recall(ws, kept)]
      } catch (error) {
        lose(ws, kept.shelf, error)
        return []
      }
    })
    const welcomed = known.filter((socket) => 'kept' in socket).sort((a, b) => a.kept!.order - b.kept!.order)
    /** The latest socket of a session knows what is known of it. */
    const sessions = new Map<string, KeptSession>()
    for (const { keeper, id, kept, identity } of welcomed) {
      if (kept!.session) sessions.set(id!, kept!.session)
      waking.set(keeper, { order: kept!.order, connection: { identity } })
    }
    const waiting = new Map<Keeper, WebSocket>()
    const contexts = welcomed.map(async ({ ws, keeper, from, id, kept, identity }) => {
      try {
        const socket = { ...kept!, session: sessions.get(id!) }
        const restored = host.restore(keeper.socket, originFrom(from, env), keeper, socket, identity)
        if (!restored) return
        waiting.set(keeper, ws)
        await restored
      } catch (error) {
        lose(ws, keeper.shelf, error)
      } finally {
        waiting.delete(keeper)
        if (waking.delete(keeper)) changed()
      }
    })
    if (waiting.size) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE)
      })
      await Promise.race([Promise.all(contexts), late])
      clearTimeout(timer)
      for (const [keeper, ws] of waiting) {
        waking.delete(keeper)
        keeper.isOff = true
        end(ws, keeper.shelf, OVERLOADED, `no context within ${PATIENCE} ms`)
      }
      changed()
    }
    // Last: they came after those that had been welcomed, or are to be taken for it.
    for (const { ws, keeper, from, kept } of known)
      try {
        if (!kept) accept(keeper, originFrom(from, env).request)
      } catch (error) {
        lose(ws, keeper.shelf, error)
      }
  }

  /**
   * Who left while the object slept is not among its sockets any more: only the event that woke it says who it was. It is
   * there again for a moment, so that it leaves as others do: its session stays, and its generators come to their end.
   */
  const miss = (ws: WebSocket, code: number): Promise<void> | undefined => {
    let found: ReturnType<typeof Shelf.find>
    let socket: ReturnType<typeof recall> | undefined
    const failed = (error: unknown) => {
      if (error !== undefined && !refusalCode(error)) report(error)
      if (!socket) found?.shelf.clear()
      const { hello, session } = socket?.kept ?? {}
      if (!hello?.id || !session) return
      const { sessions } = server().host
      const left = sessions.restore(hello, session)
      if (!left.socket) sessions.leave(left, code === 1000)
    }
    try {
      found = Shelf.find(ws, storage)
      if (!found) return
      socket = recall(ws, found)
      const { keeper, from, kept, identity } = socket
      keeper.isMissed = true
      if (!kept) return
      for (const listener of missing) listener({ identity })
      // At once, as its client may be back before there is a context.
      if (kept.hello.id && kept.session) server().host.sessions.restore(kept.hello, kept.session)
      const restored = server().host.restore(keeper.socket, originFrom(from, env), keeper, kept, identity)
      return restored ? Promise.resolve(restored).then(undefined, failed) : undefined
    } catch (error) {
      failed(error)
    }
  }

  /** A socket that cannot go on: its client knows enough to begin anew. */
  const lose = (ws: WebSocket, shelf: Shelf, error: unknown) => {
    const code = refusalCode(error)
    if (code) return end(ws, shelf, code, (error as RpcError).message)
    if (error === undefined) return end(ws, shelf, STATE_LOST, 'what was known of this connection is lost')
    end(ws, shelf, INTERNAL_CLOSE, report(error))
  }
  const end = (ws: WebSocket, shelf: Shelf, code: number, reason: string) => {
    keepers.delete(ws)
    try {
      shelf.clear()
      ws.close(code, closeReason(reason))
    } catch {
      // It has closed meanwhile.
    }
  }

  /** Closes those that said nothing in time, and no timer waits for; at most once in half a heartbeat those that are gone. */
  const sweep = () => {
    const now = Date.now()
    const { limits, heartbeat } = server()
    // In the order in which they came.
    for (const keeper of strangers) {
      if (!keeper.isGreeted && now - keeper.at <= limits.hello) break
      strangers.delete(keeper)
      if (!keeper.isGreeted) keeper.peer?.close(HELLO_TIMEOUT, `no hello within ${limits.hello} ms`)
    }
    if (isStale && now - woken > STALE) {
      isStale = false
      const keys = new Set([...keepers.values()].map(({ shelf }) => shelf.key))
      if (hasTables(storage)) clearShelves(storage, (key) => keys.has(key))
    }
    if (!heartbeat || now - swept < heartbeat / 2) return
    swept = now
    for (const [ws, { seen, peer }] of keepers) {
      const pinged = ctx.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? 0
      if (now - Math.max(seen, pinged) > SILENCE * heartbeat)
        peer?.close(HEARTBEAT_LOST, `nothing was heard of it for ${SILENCE} heartbeats`)
    }
  }

  /** Has an event handled: nothing that goes wrong in it vanishes, and nothing leaves that the platform would not catch. */
  const handle = (ws: WebSocket, event: (keeper: Keeper) => void): void | Promise<void> => {
    try {
      const keeper = keepers.get(ws)
      return server().sleeper.during(() => {
        if (keeper) event(keeper)
        sweep()
      })
    } catch (error) {
      const reason = report(error)
      try {
        ws.close(INTERNAL_CLOSE, closeReason(reason))
      } catch {
        // It has closed meanwhile.
      }
    }
  }

  const connections: Connections = {
    [Symbol.iterator](): Iterator<Connection> {
      const there: { order: number; connection: Connection }[] = []
      for (const session of server().host.sessions) {
        const { socket } = session
        if (socket && !server().sleeper.keeperOf(socket.line)?.isMissed)
          there.push({ order: socket.order, connection: session })
      }
      // The first that wakes up already sees all others.
      for (const [keeper, known] of waking) if (!keeper.session) there.push(known)
      // As they came, also where some of them waited longer for their contexts.
      there.sort((a, b) => a.order - b.order)
      return there.map(({ connection }) => connection).values()
    },
    onChange: (listener) => void listeners.push(listener),
    onMissed: (listener) => void missing.push(listener),
    get awake() {
      return awake
    },
    sweep,
    get onError() {
      return server().onError
    },
    get types() {
      return server().types
    },
  }
  connectionsOf.set(ctx, connections)

  const ours = ctx.getWebSockets(TAG)
  if (ours.length || hasSetup)
    awake = ctx.blockConcurrencyWhile(async () => {
      // The class's fields are there after this turn.
      await undefined
      let isReady = true
      try {
        const { setup } = server()
        isReady = false
        await setup?.()
        isReady = true
        await wake(ours)
      } catch (error) {
        const reason = report(error)
        for (const ws of ours) ws.close(INTERNAL_CLOSE, closeReason(reason))
        // Nothing may run that has not been made ready: the platform starts the object again at its next event.
        if (!isReady) throw error
      }
    })
  // The platform answers pings then, without waking the object. One that is set already is another server's.
  if (!ctx.getWebSocketAutoResponse())
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(`[${PING}]`, `[${PONG}]`))

  return {
    fetch(request) {
      const refused = refuseRequest(request)
      if (refused) return refused
      server()
      // Of sockets that were lost without a word, as in a deploy, there may be rows still.
      if (!lastKey && hasTables(storage)) lastKey = lastShelf(storage)
      const { 0: client, 1: ws } = new WebSocketPair()
      ctx.acceptWebSocket(ws, [TAG])
      const keeper = keep(ws, Shelf.make(ws, storage, ++lastKey), Date.now())
      keeper.opened(JSON.stringify(originOf(request)))
      accept(keeper, request)
      return new Response(null, { status: 101, webSocket: client, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } })
    },
    webSocketMessage: (ws, message) => handle(ws, ({ socket }) => socket.message(message)),
    webSocketClose(ws, code, reason, wasClean) {
      // The platform leaves it to us to answer a close; 1005 stands for a close without a code, and cannot be said.
      try {
        if (wasClean) code === 1005 ? ws.close() : ws.close(code, reason)
      } catch {
        // This end has closed first.
      }
      return gone(ws, code, reason)
    },
    webSocketError: (ws, error) => gone(ws, 1006, error instanceof Error ? error.message : ''),
    owns: (ws) => ctx.getTags(ws).includes(TAG),
    drain: (notice) => server().host.drain(notice),
    get held() {
      return server().host.held
    },
    close: () => server().host.close(),
  }

  function gone(ws: WebSocket, code: number, reason: string): void | Promise<void> {
    const over = () => {
      const keeper = keepers.get(ws)
      const result = handle(ws, ({ socket }) => socket.closed(code, reason))
      keepers.delete(ws)
      if (keeper) strangers.delete(keeper)
      // What is not closed by now has never been attached.
      if (keeper && !keeper.peer) keeper.closed()
      return result
    }
    const back = keepers.has(ws) ? undefined : miss(ws, code)
    return back ? back.then(over) : over()
  }
}

/** A mutation whose handler ran when the object was ended all the same. */
const refusePending = (id: number, line: Line) => {
  const message = 'the object was ended while it ran'
  line.send(`${ERROR},${id}`, line.codec.encode({ code: 'UNAVAILABLE', message, executed: 'unknown' }))
}
