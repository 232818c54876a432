import { type ConnectionState, createClient, type PairwireClient, type StateDetail, safe } from '@pairwire/client'
import type { counter } from '../contract.ts'
import { createLog } from './log.ts'
import { time } from './time.ts'
import { createWire } from './wire.ts'

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
const [count, state, clock] = [find('count'), find('state'), find<HTMLTimeElement>('clock')]
const [click, unknown, toggle] = ['click', 'unknown', 'toggle'].map(find<HTMLButtonElement>) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
]
const log = createLog(find('log'))
const wire = createWire(find('wire'))

const STATES: Record<ConnectionState, string> = {
  idle: 'Lost',
  connecting: 'Connecting…',
  open: 'Connected',
  waiting: 'Trying again…',
  closed: 'Closed',
}
const isOver = (is: ConnectionState) => is === 'closed' || is === 'idle'

let client: PairwireClient<typeof counter>

const connect = () => {
  client = createClient<typeof counter>('/rpc')
  client.$connection.on('state', show)
  // Where the connection was lost, a few ticks are missing: nothing that a clock would have to make up for.
  client.clock().subscribe({ onData: tick, onError: () => tick(undefined), onGap() {} })
}

const show = (is: ConnectionState, { code }: StateDetail) => {
  document.body.dataset.state = is
  state.textContent = STATES[is]
  click.disabled = unknown.disabled = is !== 'open'
  toggle.textContent = isOver(is) ? 'Connect again' : 'Close the connection'
  // A new connection counts from zero.
  if (is === 'open') count.textContent = '0'
  const why = is === 'open' ? '' : code === undefined ? ' by this page' : ` with code ${code}`
  if (is === 'waiting') {
    tick(undefined)
    log.add({ kind: 'connection', text: `Connection lost${why}, trying again`, at: new Date() })
  } else if (is !== 'connecting') log.add({ kind: 'connection', text: STATES[is] + why, at: new Date() })
}

const tick = (at: Date | undefined) => {
  clock.textContent = at ? time(at) : '––:––:––'
  clock.dateTime = at?.toISOString() ?? ''
  if (at) void wire.event()
}

/** Makes a call, and lists what comes of it. */
const call = async <T extends { at: Date }>(from: string, made: Promise<T>, say: (data: T) => string) => {
  const start = performance.now()
  const result = safe(made)
  void wire.call(result.then(({ error }) => (error ? 'error' : 'answer')))
  const { error, data } = await result
  const took = performance.now() - start
  if (error) log.add({ kind: 'error', from, text: `${error.code}: ${error.message}`, at: new Date(), took })
  else log.add({ kind: 'answer', from, text: say(data), at: data.at, took })
}

click.addEventListener('click', () =>
  call('click', client.click(), (data) => {
    count.textContent = `${data.count}`
    return `counted ${data.count}`
  }),
)

unknown.addEventListener('click', () =>
  // @ts-expect-error the contract has no `shout`: only a page that does not listen to its compiler gets as far as this
  call('shout', client.shout(), () => 'was heard'),
)

toggle.addEventListener('click', () => {
  if (isOver(client.$connection.state)) connect()
  else client.$connection.close()
})

connect()
