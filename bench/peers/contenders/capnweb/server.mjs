import { newWebSocketRpcSession, RpcTarget } from 'capnweb'
import { AddInput, add, tick } from '../../app.ts'

export const create = ({ room }) => {
  class Subscription extends RpcTarget {
    #leave
    constructor(leave) {
      super()
      this.#leave = leave
    }
    leave() {
      this.#leave()
    }
    [Symbol.dispose]() {
      this.#leave()
    }
  }
  class Api extends RpcTarget {
    add(input) {
      return add(input)
    }
    addZod(input) {
      return add(AddInput.parse(input))
    }
    echo(value) {
      return value
    }
    // A callback for each event, whose result nobody asks for.
    ticks(n, hear) {
      for (let k = 0; k < n; k++) hear(tick(k))[Symbol.dispose]()
    }
    join(hear) {
      const mine = hear.dup()
      const leave = room.join((event) => mine(event)[Symbol.dispose]())
      return new Subscription(() => {
        leave()
        mine[Symbol.dispose]()
      })
    }
    publish(k) {
      room.publish(tick(k))
    }
  }
  return {
    socket(ws) {
      newWebSocketRpcSession(ws, new Api())
    },
  }
}
