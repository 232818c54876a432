import { useRef } from 'react'
import type { ChatClient } from '../client.ts'
import type { Entry } from '../entries.ts'
import type { Messages } from '../hooks/use-messages.ts'
import { useStick } from '../hooks/use-stick.ts'
import type { FateProps } from './fate.tsx'
import { Icon } from './icon.tsx'
import { Line } from './line.tsx'

export interface LogProps extends Pick<FateProps, 'onRetry' | 'onDiscard'> {
  room: string
  client: ChatClient
  messages: Messages
  entries: readonly Entry[]
  unread: number
  onEnd(isAtEnd: boolean): void
}

/** What was said. It scrolls, and stays where its reader is. */
export const Log = ({ room, client, messages, entries, unread, onEnd, ...fate }: LogProps) => {
  const scroll = useRef<HTMLDivElement>(null)
  const { isAtEnd, toEnd } = useStick(scroll, messages.messages[0]?.place, entries.at(-1)?.outgoing?.id, onEnd)
  const { more, loaded, error, loadEarlier } = messages
  return (
    <section className="log" aria-labelledby="room-name">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be within reach of the keyboard */}
      <div className="scroll" role="log" aria-label="Messages" aria-busy={!loaded} tabIndex={0} ref={scroll}>
        <div className="paper">
          {more && (
            <button type="button" className="earlier" onClick={loadEarlier}>
              Earlier messages
            </button>
          )}
          {loaded && !more && (
            <p className="beginning">
              {entries.length ? `Here begins ${room}.` : `Nothing was said in ${room} yet. The wire is all yours.`}
            </p>
          )}
          <ol>
            {entries.map((entry) => (
              <Line key={entry.id} client={client} entry={entry} {...fate} />
            ))}
          </ol>
          {error && <p role="alert">No more messages come: {error}. Load the page again.</p>}
        </div>
      </div>
      {!isAtEnd && (
        <button type="button" className="to-end" onClick={toEnd}>
          <Icon name="down" />
          {unread ? `${unread} new` : 'To the end'}
        </button>
      )}
    </section>
  )
}
