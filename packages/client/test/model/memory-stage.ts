import type { Clock } from './clock.ts'
import { type End, type Host, Network } from './network.ts'
import { isWelcome, meant, type Stage } from './play.ts'
import type { Program } from './program.ts'
import type { Life, World } from './world.ts'

/** Plays in memory, in virtual time. */
export const memoryStage = (clock: Clock, program: Program, world: World): Stage & { readonly network: Network } => {
  const request = new Request('http://model/')
  /** Sockets that a server believes in, and since when there is none. */
  const believed = new Set<End>()
  let bare: number | undefined
  let outage = 0
  const welcome = (end: End) => {
    if (bare !== undefined && !believed.size) outage = Math.max(outage, clock.now - bare)
    believed.add(end)
  }
  const lost = (end: End) => {
    if (believed.delete(end) && !believed.size) bare = clock.now
  }
  const accepted = new Map<Life, { close(code: number, reason: string): void }[]>()
  const hosts = new Map<Life, Host>()
  const hostOf = (life: Life): Host => {
    const found = hosts.get(life)
    if (found) return found
    const sockets: { close(code: number, reason: string): void }[] = []
    accepted.set(life, sockets)
    const host: Host = {
      accept(end) {
        const send = end.send.bind(end)
        end.send = (data) => {
          if (isWelcome(data)) welcome(end)
          send(data)
        }
        const close = end.close.bind(end)
        end.close = (code, reason) => {
          lost(end)
          close(code, reason)
        }
        sockets.push(life.server.accept(end as never, { request: request as never }))
      },
      ended: lost,
    }
    hosts.set(life, host)
    return host
  }
  const network = new Network(clock, hostOf(world.life), program.dials)
  return {
    network,
    now: () => clock.elapsed,
    wait: (ms) => clock.pass(ms),
    connect: network.connect,
    lead(life) {
      network.host = hostOf(life)
    },
    fault(action, at, on) {
      for (const connection of meant(network.live, on)) connection.act(action, at)
    },
    cut(life) {
      for (const connection of network.of(hostOf(life))) connection.cut()
    },
    kick(life, code) {
      for (const socket of accepted.get(life) ?? []) socket.close(code, 'kicked')
    },
    heal: () => network.heal(),
    get outage() {
      return outage
    },
    close() {},
  }
}
