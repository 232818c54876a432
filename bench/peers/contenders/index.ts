import type { Options } from './api.ts'

/** Where a server runs: Node, a Worker, a Durable Object that stays awake, one that sleeps. */
export type Host = 'node' | 'worker' | 'object' | 'hibernating'

/** Who takes part. */
export interface Contender {
  name: string
  /** Of this folder. */
  dir: string
  hosts: readonly Host[]
  opts: Options
  /** Takes part in the quick run. */
  quick?: boolean
  /** Only these cells. */
  only?: readonly string[]
  /** Whose numbers its own are divided by. */
  base: string
  /** Of pairwire: the folder of packages that it is made of, instead of this checkout's. */
  sources?: string
}

const one = (name: string, hosts: Host[], more: Partial<Contender> = {}): Contender => ({
  name,
  dir: name,
  hosts,
  opts: {},
  base: 'raw',
  ...more,
})

const awake: Host[] = ['node', 'worker', 'object']
const rich = (dir: string, hosts: Host[], cells: string[]) =>
  one(`${dir} + superjson`, hosts, { dir, opts: { superjson: true }, only: cells })
const deflated = (dir: string, more: Partial<Contender> = {}) =>
  one(`${dir}, deflate`, ['object'], {
    dir,
    opts: { deflate: true },
    only: ['sequential', 'in100', 'events20k'],
    base: 'raw, deflate',
    ...more,
  })
/** The client offers compression, and the Worker's compatibility flag has it declined. */
const declined = (dir: string) =>
  one(`${dir}, declined`, ['object'], {
    dir,
    opts: { deflate: true, flags: ['no_web_socket_compression'] },
    only: ['in100', 'events20k'],
    base: 'raw, declined',
    quick: true,
  })

export const contenders: readonly Contender[] = [
  one('raw', [...awake, 'hibernating'], { quick: true }),
  one('pairwire', [...awake, 'hibernating'], { quick: true }),
  one('birpc', awake, { quick: true }),
  one('orpc', awake, { quick: true }),
  one('capnweb', awake),
  one('trpc', ['node']),
  one('socketio', ['node']),
  one('agents', ['hibernating']),
  rich('raw', ['node', 'object'], ['in100', 'order']),
  rich('birpc', ['node', 'object'], ['in100', 'order', 'bytes']),
  rich('trpc', ['node'], ['in100', 'order', 'bytes']),
  deflated('raw', { quick: true }),
  deflated('pairwire', { quick: true }),
  deflated('birpc'),
  deflated('orpc'),
  declined('raw'),
  declined('pairwire'),
]

/** What a contender's name says after its comma: that it is one with, or without, something. */
export const variantOf = (name: string): string => (name.includes(', ') ? name.slice(name.indexOf(', ')) : '')

/** pairwire as it is in another checkout, on every host: what a change brings is measured side by side. */
export const pairwireOf = (name: string, checkout: string): Contender =>
  one(name, [...awake, 'hibernating'], { dir: 'pairwire', quick: true, sources: `${checkout}/packages` })
