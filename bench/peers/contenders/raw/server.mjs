// What somebody writes in an afternoon: JSON, ids that count up, one message in a frame. The measure of all others.
import superjson from 'superjson'
import { AddInput, add, tick } from '../../app.ts'

/** @param leaves the socket's subscriptions */
export const handle = (data, ws, room, leaves, { superjson: rich }) => {
  if (typeof data !== 'string') return ws.send(data)
  const { parse, stringify } = rich ? superjson : JSON
  const { i, m, p } = parse(data)
  let r
  switch (m) {
    case 'add':
      r = add(p)
      break
    case 'addZod':
      r = add(AddInput.parse(p))
      break
    case 'echo':
      r = p
      break
    case 'ticks':
      for (let k = 0; k < p; k++) ws.send(stringify({ i, e: tick(k) }))
      break
    case 'join': {
      // An event is written once for all, and each adds its id.
      const head = `{"i":${i},"e":`
      leaves.set(
        i,
        room.join((text) => ws.send(`${head}${text}}`)),
      )
      break
    }
    case 'leave':
      leaves.get(p)?.()
      leaves.delete(p)
      break
    case 'publish':
      room.publish(JSON.stringify(tick(p)))
      break
  }
  ws.send(stringify({ i, r }))
}

export const create = ({ room, opts }) => ({
  socket(ws, { onMessage, onClose }) {
    const leaves = new Map()
    onMessage((data) => handle(data, ws, room, leaves, opts))
    onClose(() => {
      for (const leave of leaves.values()) leave()
    })
  },
})
