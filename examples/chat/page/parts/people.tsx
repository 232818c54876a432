import type { CSSProperties } from 'react'
import type { Person } from '../../contract.ts'
import { hue } from '../hue.ts'
import { NameForm } from './name-form.tsx'

export interface PeopleProps {
  people: readonly Person[]
  typists: readonly Person[]
  me: Person
  onRename(name: string): void
}

/** Who is here. */
export const People = ({ people, typists, me, onRename }: PeopleProps) => {
  const others = people.filter(({ id }) => id !== me.id)
  const isTyping = ({ id }: Person) => typists.some((typist) => typist.id === id)
  return (
    <section className="people" aria-labelledby="people-title">
      <h2 id="people-title">Here now</h2>
      <ul>
        <li style={{ '--hue': hue(me.id) } as CSSProperties}>
          <NameForm name={me.name} onRename={onRename} />
        </li>
        {others.map((person) => (
          <li key={person.id} style={{ '--hue': hue(person.id) } as CSSProperties}>
            <span className="name">{person.name}</span>
            {isTyping(person) && <span className="is-typing">typing</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
