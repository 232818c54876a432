import { type Listening, listen } from '@pairwire/server/node'
import { WebSocket } from 'ws'
import { createFaultProxy, type Action as SocketAction, type Fault as SocketFault } from '../faults/proxy.ts'
import type { Action, Dial, Fault } from './network.ts'
import { isWelcome, meant, type Stage } from './play.ts'
import type { Program } from './program.ts'
import type { Life, World } from './world.ts'

/** Codes that a close frame cannot hold; and 1004, which nobody may send. */
const isSendable = (code: number) => ![1004, 1005, 1006, 1015].includes(code)

/** As near as the proxy comes to it. */
const actionOf = (fault: Action): SocketAction => {
  if (fault.action === 'abandon') return { action: 'abandon' }
  if (fault.action === 'orphan') return { action: 'black-hole' }
  if (fault.action !== 'close') return fault
  return isSendable(fault.code) ? { ...fault, reason: 'fault' } : { action: 'cut' }
}

const faultOf = (fault: Fault): SocketFault => {
  const { at, when, frame } = fault
  // The proxy would repeat all that was sent, which no network does.
  if (fault.action === 'duplicate-connect') return { at: 'up', byte: 0, action: 'duplicate-connect' }
  return { at, [when]: frame, ...actionOf(fault) } as SocketFault
}

const faultsOf = ({ how, faults }: Dial): SocketFault[] => {
  if (how === 'hang') return [{ at: 'up', byte: 0, action: 'black-hole' }]
  if (how === 'mute') return [{ at: 'down', byte: 0, action: 'black-hole' }]
  return faults.map(faultOf)
}

/** Plays on real sockets, through a proxy that breaks them, in real time. */
export const socketStage = async (program: Program, world: World): Promise<Stage> => {
  const started = performance.now()
  const now = () => performance.now() - started
  const listening = new Map<Life, Listening>()
  const accepted = new Map<Life, { close(code: number, reason: string): void }[]>()
  const lives = new Map<number, Life>()
  const believed = new Set<WebSocket>()
  let target = world.life
  let bare: number | undefined
  let outage = 0
  let healed = false
  let dialled = 0

  const serve = async (life: Life) => {
    const { server } = life
    const sockets: { close(code: number, reason: string): void }[] = []
    accepted.set(life, sockets)
    const accept = server.accept
    server.accept = (socket, from) => {
      const end = socket as unknown as WebSocket
      const send = end.send.bind(end) as (data: unknown) => void
      end.send = ((data: unknown) => {
        if (isWelcome(data)) {
          if (bare !== undefined && !believed.size) outage = Math.max(outage, now() - bare)
          believed.add(end)
        }
        send(data)
      }) as WebSocket['send']
      end.once('close', () => {
        if (believed.delete(end) && !believed.size) bare = now()
      })
      const made = accept(socket, from)
      sockets.push(made)
      return made
    }
    const made = await listen(server, { hostname: '127.0.0.1' })
    listening.set(life, made)
    return Number(new URL(made.url).port)
  }
  const proxy = await createFaultProxy({ port: await serve(world.life) }, { seed: program.seed })
  const planned: Dial[] = []
  proxy.plan(({ index }) => {
    lives.set(index, target)
    const dial = planned[index]
    return healed || !dial ? undefined : faultsOf(dial)
  })
  const live = () => proxy.connections

  return {
    now,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    connect() {
      const dial: Dial = (!healed && program.dials[dialled++]) || { how: 'ok', latency: 1, faults: [] }
      if (dial.how === 'throw') throw new Error('no socket to be had')
      // Nobody listens at port 1.
      if (dial.how === 'refuse') return new WebSocket('ws://127.0.0.1:1', ['pairwire.1'])
      planned.push(dial)
      return new WebSocket(proxy.url, ['pairwire.1'])
    },
    async lead(life) {
      const port = await serve(life)
      target = life
      proxy.target(port)
    },
    fault(fault, at, on) {
      for (const connection of meant(live(), on)) {
        if (fault.action === 'cut' || fault.action === 'abandon') connection.cut()
        else if (fault.action === 'hold') {
          connection.hold(at)
          setTimeout(() => connection.release(at), fault.ms)
        } else if (fault.action === 'close') {
          if (isSendable(fault.code)) connection.close(fault.code, 'fault')
          else connection.cut()
        } else if (fault.action !== 'duplicate-connect') connection.blackHole()
      }
    },
    cut(life) {
      for (const connection of live()) if (lives.get(connection.index) === life) connection.cut()
    },
    kick(life, code) {
      for (const socket of accepted.get(life) ?? []) socket.close(isSendable(code) ? code : 1011, 'kicked')
    },
    heal() {
      healed = true
      for (const connection of live()) connection.cut()
    },
    get outage() {
      return Math.max(outage, bare !== undefined && !believed.size ? now() - bare : 0)
    },
    async close() {
      await proxy.close()
      await Promise.all([...listening.values()].map((made) => made.close()))
    },
  }
}
