import { createServer, RpcError, type Server, type ServerOptions } from '@pairwire/server'
import { remember, router } from './router.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
let authenticated = 0

/** What `/auth` is told to do, as `params`. */
const authenticate = async ({ params }: { params: unknown }): Promise<string> => {
  const { act, wait = 0 } = (params ?? {}) as { act?: string; wait?: number }
  const turn = ++authenticated
  await sleep(wait)
  if (act === 'unauthenticated') throw new RpcError('UNAUTHENTICATED', 'who are you?')
  if (act === 'denied') throw new RpcError('PERMISSION_DENIED', 'not you')
  if (act === 'crash') throw new Error('classified')
  return `visitor ${turn}`
}

type Options = ServerOptions<{ name: string; env: unknown }, string, unknown>

/** What each server of the suites is told, by the path it answers at. Browsers come from another origin: `open` lets them in. */
export const serverOptions = (open?: '*'): Record<string, Options> => {
  const common = { onError: remember, ...(open && { origins: open }) }
  return {
    main: { ...common, context: ({ env }) => ({ name: 'main', env }) },
    tight: {
      ...common,
      context: ({ env }) => ({ name: 'tight', env }),
      limits: {
        message: 4_096,
        depth: 8,
        batch: 20,
        calls: 4,
        subscriptions: 2,
        path: 32,
        window: 4_096,
        unread: 20_000,
        hello: 200,
        held: 8,
      },
    },
    auth: { ...common, authenticate, context: ({ identity, env }) => ({ name: identity, env }) },
    context: {
      ...common,
      context: () => {
        throw new Error('classified')
      },
    },
    origins: {
      onError: remember,
      origins: ['https://chat.example', 'http://localhost:5173'],
      context: ({ env }) => ({ name: 'origins', env }),
    },
    any: { onError: remember, origins: '*', context: ({ env }) => ({ name: 'any', env }) },
    one: { ...common, connections: 1, context: ({ env }) => ({ name: 'one', env }) },
  }
}

/** The servers of the suites, by the path each answers at. */
export const createServers = (open?: '*'): Record<string, Server<unknown>> =>
  Object.fromEntries(
    Object.entries(serverOptions(open)).map(([name, options]) => [name, createServer(router, options)]),
  )

/** The server that a request's path asks for, also behind `/object/`. */
export const serverFor = (url: string, servers: Record<string, Server<unknown>>): Server<unknown> | undefined => {
  const [name = ''] = new URL(url).pathname.split('/').slice(-1)
  return Object.hasOwn(servers, name) ? servers[name] : undefined
}
