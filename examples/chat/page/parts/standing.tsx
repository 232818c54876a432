import type { Standing as Connection } from '../hooks/use-connection.ts'
import { useCountdown } from '../hooks/use-countdown.ts'

const STATES = {
  idle: 'Not connected',
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Connection lost, trying again',
  closed: 'Disconnected',
}

/** How the connection stands. Its changes are announced, its seconds are not. */
export const Standing = ({ standing, onReconnect }: { standing: Connection; onReconnect(): void }) => {
  const { state, reason, until } = standing
  const seconds = useCountdown(until)
  return (
    <div className="standing" data-state={state}>
      <span role="status">
        {STATES[state]}
        {state === 'closed' && reason ? `: ${reason}` : ''}
      </span>
      {state === 'waiting' && seconds > 0 && <span aria-hidden="true"> in {seconds} s</span>}
      {(state === 'waiting' || state === 'closed') && (
        <button type="button" aria-label={state === 'waiting' ? 'Reconnect now' : undefined} onClick={onReconnect}>
          {state === 'waiting' ? 'Now' : 'Connect again'}
        </button>
      )}
    </div>
  )
}
