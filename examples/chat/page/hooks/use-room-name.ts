import { useCallback, useEffect, useState } from 'react'

/** Where visitors come in. */
const LOBBY = 'lobby'

const nameIn = (path: string) => /^\/rooms\/([a-z0-9-]{1,40})$/.exec(path)?.[1]

/** A room's name as it stands in a URL, of whatever somebody typed; empty where nothing of that can stand there. */
export const asRoomName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40)

/** The room that the page's URL names, and a function that goes to another one. */
export const useRoomName = (): [room: string, enter: (room: string) => void] => {
  const [room, setRoom] = useState(() => nameIn(location.pathname) ?? LOBBY)
  useEffect(() => {
    if (!nameIn(location.pathname)) history.replaceState(null, '', `/rooms/${LOBBY}`)
    const follow = () => setRoom(nameIn(location.pathname) ?? LOBBY)
    addEventListener('popstate', follow)
    return () => removeEventListener('popstate', follow)
  }, [])
  const enter = useCallback((name: string) => {
    history.pushState(null, '', `/rooms/${name}`)
    setRoom(name)
  }, [])
  return [room, enter]
}
