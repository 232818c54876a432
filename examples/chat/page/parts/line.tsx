import type { CSSProperties } from 'react'
import type { ChatClient } from '../client.ts'
import type { Entry } from '../entries.ts'
import { hue } from '../hue.ts'
import { clock } from '../time.ts'
import { Fate, type FateProps } from './fate.tsx'
import { Figure } from './figure.tsx'

export interface LineProps extends Pick<FateProps, 'onRetry' | 'onDiscard'> {
  client: ChatClient
  entry: Entry
}

/** One message: a bead on the wire, and what was said. */
export const Line = ({ client, entry, onRetry, onDiscard }: LineProps) => {
  const { id, author, isOwn, text, at, picture, outgoing, begins, day, isNew } = entry
  const kind = ['line', begins && 'begins', isOwn && 'own', outgoing && (outgoing.problem ? 'lost' : 'sending')]
  return (
    <li className={kind.filter(Boolean).join(' ')} style={{ '--hue': hue(author.id) } as CSSProperties}>
      {day && <p className="day">{day}</p>}
      {isNew && <p className="new">New</p>}
      <div className="said">
        <p className={begins ? 'who' : 'who hidden'}>
          <strong>{author.name}</strong>
          {isOwn && <span className="you">you</span>}
          <time dateTime={at.toISOString()}>{clock(at)}</time>
        </p>
        {text && <p className="text">{text}</p>}
        {picture && <Figure client={client} message={id} by={author.name} {...picture} />}
        {outgoing && <Fate message={outgoing} onRetry={onRetry} onDiscard={onDiscard} />}
      </div>
    </li>
  )
}
