import type { Life } from '../../contract.ts'
import type { Standing } from '../hooks/use-connection.ts'

export interface WiringProps {
  standing: Standing
  sockets: number
  now: Life | undefined
  before: Life | undefined
  isAsleep: boolean
}

const PAGE = {
  open: 'connected',
  connecting: 'connecting',
  waiting: 'cut off',
  closed: 'closed',
  idle: 'not connected',
}

/** The two ends of the wire, as they are at the moment. */
export const Wiring = ({ standing: { state }, sockets, now, before, isAsleep }: WiringProps) => (
  <dl className="wiring" data-state={state} data-asleep={isAsleep}>
    <div>
      <dt>This page</dt>
      <dd>
        {PAGE[state]} <code>socket {sockets}</code>
      </dd>
    </div>
    <div>
      <dt>The object</dt>
      <dd id="life">
        {isAsleep ? 'asleep, not in memory' : 'awake'}{' '}
        <code>
          {before && <s>{before.instance}</s>}
          {before && ' → '}
          {now?.instance ?? '······'}
        </code>
      </dd>
      <dd>
        {now ? `Woken ${now.woken} ${now.woken === 1 ? 'time' : 'times'} so far.` : ''}
        {isAsleep ? ' The next word wakes it.' : ''}
      </dd>
    </div>
  </dl>
)
