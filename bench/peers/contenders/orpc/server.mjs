import { EventPublisher, os } from '@orpc/server'
// This one of its adapters runs on both hosts.
import { RPCHandler } from '@orpc/server/websocket'
import { AddInput, add, tick } from '../../app.ts'

export const create = () => {
  const events = new EventPublisher()
  const handler = new RPCHandler({
    add: os.handler(({ input }) => add(input)),
    addZod: os.input(AddInput).handler(({ input }) => add(input)),
    echo: os.handler(({ input }) => input),
    ticks: os.handler(async function* ({ input }) {
      for (let k = 0; k < input; k++) yield tick(k)
    }),
    room: os.handler(({ signal }) => events.subscribe('event', { signal })),
    publish: os.handler(({ input }) => {
      events.publish('event', tick(input))
    }),
  })
  return {
    socket(ws) {
      ws.binaryType = 'arraybuffer'
      handler.upgrade(ws)
    },
  }
}
