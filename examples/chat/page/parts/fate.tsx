import type { Outgoing } from '../outbox.ts'

export interface FateProps {
  message: Outgoing
  onRetry(message: Outgoing): void
  onDiscard(message: Outgoing): void
}

/** What becomes of a message that is on its way. */
export const Fate = ({ message, onRetry, onDiscard }: FateProps) =>
  message.problem ? (
    <div className="fate failed">
      <p role="alert">{message.problem}</p>
      <button type="button" onClick={() => onRetry(message)}>
        Try again
      </button>
      <button type="button" onClick={() => onDiscard(message)}>
        Discard
      </button>
    </div>
  ) : (
    <p className="fate">sending</p>
  )
