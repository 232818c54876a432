import { type FormEvent, useEffect, useRef, useState } from 'react'
import { NAME_LENGTH } from '../../limits.ts'
import { Icon } from './icon.tsx'

/** The visitor's own name, which they may change as they like. */
export const NameForm = ({ name, onRename }: { name: string; onRename(name: string): void }) => {
  const [draft, setDraft] = useState<string>()
  const field = useRef<HTMLInputElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const isOpen = draft !== undefined
  useEffect(() => {
    if (isOpen) field.current?.select()
  }, [isOpen])

  const close = () => {
    setDraft(undefined)
    requestAnimationFrame(() => button.current?.focus())
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const chosen = draft?.trim()
    if (chosen && chosen !== name) onRename(chosen)
    close()
  }
  if (!isOpen)
    return (
      <>
        <span className="name">
          {name} <span className="you">you</span>
        </span>
        <button
          type="button"
          className="small"
          aria-label="Change your name"
          ref={button}
          onClick={() => setDraft(name)}
        >
          <Icon name="pencil" />
        </button>
      </>
    )
  return (
    <form className="name-form" onSubmit={submit} onKeyDown={({ key }) => key === 'Escape' && close()}>
      <input
        ref={field}
        aria-label="Your name"
        maxLength={NAME_LENGTH}
        autoComplete="nickname"
        value={draft}
        onChange={({ target }) => setDraft(target.value)}
      />
      <button type="submit">Save</button>
    </form>
  )
}
