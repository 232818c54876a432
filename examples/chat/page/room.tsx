import { useEffect, useMemo, useState } from 'react'
import { entriesOf } from './entries.ts'
import type { Link } from './hooks/use-client.ts'
import { useConnection } from './hooks/use-connection.ts'
import { useLife } from './hooks/use-life.ts'
import { useMe } from './hooks/use-me.ts'
import { useMessages } from './hooks/use-messages.ts'
import { useOutbox } from './hooks/use-outbox.ts'
import { usePeople } from './hooks/use-people.ts'
import { useTyping } from './hooks/use-typing.ts'
import { useUnread } from './hooks/use-unread.ts'
import { useVisible } from './hooks/use-visible.ts'
import { Bench } from './parts/bench.tsx'
import { Close } from './parts/close.tsx'
import { Composer } from './parts/composer.tsx'
import { Header } from './parts/header.tsx'
import { Log } from './parts/log.tsx'
import { People } from './parts/people.tsx'
import { Rooms } from './parts/rooms.tsx'
import { Standing } from './parts/standing.tsx'
import { Typists } from './parts/typists.tsx'

export interface RoomProps extends Link {
  name: string
  onRename(name: string): void
  onEnter(room: string): void
}

/** One room, for one visitor. */
export const Room = ({ room, client, line, name, onRename, onEnter }: RoomProps) => {
  const standing = useConnection(client)
  const messages = useMessages(client)
  const { outgoing, send, retry, discard } = useOutbox(client, room, messages.add)
  const known = useMe(client, name)
  const me = useMemo(() => known ?? { id: '', name }, [known, name])
  const { typists, tell } = useTyping(client, known)
  const { now, before } = useLife(client)
  const people = usePeople(client)

  const [isAtEnd, setIsAtEnd] = useState(true)
  const isLooking = useVisible() && isAtEnd
  const unread = useUnread(messages, isLooking, known?.id)
  const entries = useMemo(
    () => entriesOf(messages.messages, outgoing, me, unread.after),
    [messages.messages, outgoing, me, unread.after],
  )
  useEffect(() => {
    document.title = `${unread.count ? `(${unread.count}) ` : ''}${room} · pairwire`
  }, [room, unread.count])

  const reconnect = () => {
    line.mend()
    client.$connection.reconnect()
  }
  return (
    <div className="room" data-state={standing.state}>
      <aside id="rooms" className="side" popover="auto" aria-label="Rooms and people">
        <p className="brand">pairwire</p>
        <Close what="rooms" />
        <Rooms room={room} onEnter={onEnter} />
        <People people={people} typists={typists} me={me} onRename={onRename} />
      </aside>
      <main>
        <Header room={room} here={Math.max(1, people.length)} />
        <Log
          {...{ room, client, messages, entries }}
          unread={unread.count}
          onEnd={setIsAtEnd}
          onRetry={retry}
          onDiscard={discard}
        />
        <div className="foot">
          <Composer room={room} onSend={send} onTyping={tell} />
          <div className="under">
            <Typists people={typists} />
            <Standing standing={standing} onReconnect={reconnect} />
          </div>
        </div>
      </main>
      <Bench {...{ room, line, standing, now, before }} />
    </div>
  )
}
