import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import superjson from 'superjson'

export const carries = ({ superjson }) => ({ dates: !!superjson, maps: !!superjson })

export const connect = async ({ url, WebSocket, opts }) => {
  let opened
  const ready = new Promise((resolve) => {
    opened = resolve
  })
  const client = createWSClient({ url, WebSocket, onOpen: opened })
  const trpc = createTRPCClient({ links: [wsLink(opts.superjson ? { client, transformer: superjson } : { client })] })
  await ready
  return {
    add: (input) => trpc.add.mutate(input),
    addZod: (input) => trpc.addZod.mutate(input),
    echo: (value) => trpc.echo.mutate(value),
    echoBytes: opts.superjson ? (bytes) => trpc.echo.mutate(bytes) : undefined,
    ticks: (n, hear) =>
      new Promise((resolve, reject) => {
        trpc.ticks.subscribe(n, { onData: hear, onComplete: resolve, onError: reject })
      }),
    join: (hear) =>
      new Promise((resolve, reject) => {
        const subscription = trpc.room.subscribe(undefined, {
          onData: hear,
          onStarted: () => resolve(() => subscription.unsubscribe()),
          onError: reject,
        })
      }),
    publish: (k) => trpc.publish.mutate(k),
    close: () => client.close(),
  }
}
