import { useClient } from './hooks/use-client.ts'
import { useRoomName } from './hooks/use-room-name.ts'
import { useVisitor } from './hooks/use-visitor.ts'
import { Room } from './room.tsx'

/** Which room, who is in it, and the client that connects the two. */
export const App = () => {
  const [room, enter] = useRoomName()
  const [visitor, rename] = useVisitor()
  const link = useClient(room, visitor)
  // Another room is another page: nothing of the last one may show.
  return link && <Room key={link.room} {...link} name={visitor.name} onRename={rename} onEnter={enter} />
}
