import type { Life } from '../../contract.ts'
import type { Standing } from '../hooks/use-connection.ts'
import type { Sleep } from '../hooks/use-sleep.ts'

export interface WiringProps {
  standing: Standing
  sockets: number
  now: Life | undefined
  before: Life | undefined
  sleep: Sleep
}

const PAGE = {
  idle: 'not connected',
  connecting: 'connecting',
  open: 'connected',
  waiting: 'cut off',
  closed: 'closed',
}
const OBJECT: Record<Sleep, string> = { awake: 'awake', falling: 'falling asleep', asleep: 'asleep, not in memory' }

const times = (count: number) => `${count} ${count === 1 ? 'time' : 'times'}`

/** The two ends of the wire, as they are at the moment. */
export const Wiring = ({ standing: { state }, sockets, now, before, sleep }: WiringProps) => (
  <dl className="wiring" data-state={state} data-sleep={sleep}>
    <div>
      <dt>This page</dt>
      <dd>
        {PAGE[state]} <code>socket {sockets}</code>
      </dd>
    </div>
    <div>
      <dt>The object</dt>
      <dd id="life">
        {OBJECT[sleep]}{' '}
        <code>
          {before && <s>{before.instance}</s>}
          {before && ' → '}
          {now?.instance ?? '······'}
        </code>
      </dd>
      <dd>{sleep === 'asleep' ? 'The next word wakes it.' : now && `Woken ${times(now.woken)} so far.`}</dd>
    </div>
  </dl>
)
