import { createBirpc } from 'birpc'
import superjson from 'superjson'
import { AddInput, add, tick } from '../../app.ts'

export const create = ({ room, opts }) => ({
  socket(ws, { onMessage, onClose }) {
    const { parse, stringify } = opts.superjson ? superjson : JSON
    const leaves = new Map()
    const rpc = createBirpc(
      {
        add: (input) => add(input),
        addZod: (input) => add(AddInput.parse(input)),
        echo: (value) => value,
        ticks(id, n) {
          for (let k = 0; k < n; k++) rpc.$callEvent('event', id, tick(k))
        },
        join(id) {
          leaves.set(
            id,
            room.join((event) => rpc.$callEvent('event', id, event)),
          )
        },
        leave(id) {
          leaves.get(id)?.()
          leaves.delete(id)
        },
        publish: (k) => room.publish(tick(k)),
      },
      { post: (data) => ws.send(data), on: onMessage, serialize: stringify, deserialize: parse },
    )
    onClose(() => {
      for (const leave of leaves.values()) leave()
      rpc.$close()
    })
  },
})
