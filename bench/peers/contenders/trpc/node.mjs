import { EventEmitter, on } from 'node:events'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import superjson from 'superjson'
import { AddInput, add, tick } from '../../app.ts'

const any = (value) => value

export const attachNode = ({ http, WebSocketServer, opts }) => {
  const events = new EventEmitter()
  events.setMaxListeners(0)
  const { router, procedure } = initTRPC.create(opts.superjson ? { transformer: superjson } : {})
  applyWSSHandler({
    wss: new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 1 << 28 }),
    router: router({
      add: procedure.input(any).mutation(({ input }) => add(input)),
      addZod: procedure.input(AddInput).mutation(({ input }) => add(input)),
      echo: procedure.input(any).mutation(({ input }) => input),
      ticks: procedure.input(any).subscription(async function* ({ input }) {
        for (let k = 0; k < input; k++) yield tick(k)
      }),
      room: procedure.subscription(async function* ({ signal }) {
        for await (const [event] of on(events, 'event', { signal })) yield event
      }),
      publish: procedure.input(any).mutation(({ input }) => {
        events.emit('event', tick(input))
      }),
    }),
  })
}
