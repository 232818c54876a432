import { type FormEvent, type MouseEvent, useState } from 'react'
import { asRoomName } from '../hooks/use-room-name.ts'

const ROOMS = ['lobby', 'workshop', 'night-shift']

/** The way to other rooms. A room is there as soon as somebody is in it. */
export const Rooms = ({ room, onEnter }: { room: string; onEnter(room: string): void }) => {
  const [text, setText] = useState('')
  const follow = (event: MouseEvent, name: string) => {
    // Whoever wants another tab gets one.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    onEnter(name)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const name = asRoomName(text)
    if (name) onEnter(name)
  }
  return (
    <nav aria-labelledby="rooms-title">
      <h2 id="rooms-title">Rooms</h2>
      <ul className="rooms-list">
        {[...new Set([...ROOMS, room])].map((name) => (
          <li key={name}>
            <a
              href={`/rooms/${name}`}
              aria-current={name === room ? 'page' : undefined}
              onClick={(e) => follow(e, name)}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
      <form className="other-room" onSubmit={submit}>
        <input
          aria-label="Name of another room"
          placeholder="another"
          maxLength={40}
          autoComplete="off"
          autoCapitalize="none"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <button type="submit">Enter</button>
      </form>
    </nav>
  )
}
