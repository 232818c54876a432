import { Agent, callable } from 'agents'
import { AddInput, add, tick } from '../../app.ts'

export const durableObject = () => {
  class Bench extends Agent {
    static options = { hibernate: true, sendIdentityOnConnect: false }
    add(input) {
      return add(input)
    }
    addZod(input) {
      return add(AddInput.parse(input))
    }
    echo(value) {
      return value
    }
    ticks(stream, n) {
      for (let k = 0; k < n; k++) stream.send(tick(k))
      stream.end()
    }
    publish(k) {
      this.broadcast(JSON.stringify({ event: tick(k) }))
    }
  }
  for (const name of ['add', 'addZod', 'echo', 'publish']) callable()(Bench.prototype[name])
  callable({ streaming: true })(Bench.prototype.ticks)
  return Bench
}
