import { type ClipboardEvent, type DragEvent, type FormEvent, type KeyboardEvent, useRef } from 'react'
import type { Draft } from '../../contract.ts'
import { TEXT_LENGTH } from '../../limits.ts'
import { useDraft } from '../hooks/use-draft.ts'
import { Attachment } from './attachment.tsx'
import { Icon } from './icon.tsx'

export interface ComposerProps {
  room: string
  onSend(what: Pick<Draft, 'text' | 'picture'>): void
  onTyping(typing: boolean): void
}

const pictureIn = ({ files }: DataTransfer) => [...files].find(({ type }) => type.startsWith('image/'))

/** Where messages are written: the visitor's end of the wire. */
export const Composer = ({ room, onSend, onTyping }: ComposerProps) => {
  const { text, setText, picture, problem, attach, detach, take } = useDraft()
  const field = useRef<HTMLTextAreaElement>(null)
  const file = useRef<HTMLInputElement>(null)

  const send = (event?: FormEvent) => {
    event?.preventDefault()
    const said = take()
    if (!said) return
    onTyping(false)
    onSend(said)
    field.current?.focus()
  }
  const write = (text: string) => {
    setText(text)
    onTyping(text.trim() !== '')
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') detach()
    // Enter also ends a word in some languages' keyboards: that is not for us.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  const take1 = (event: ClipboardEvent | DragEvent, data: DataTransfer) => {
    const found = pictureIn(data)
    if (found) event.preventDefault()
    void attach(found)
  }

  return (
    <form
      className="composer"
      aria-label="Write a message"
      onSubmit={send}
      onDrop={(e) => take1(e, e.dataTransfer)}
      onDragOver={(event) => event.preventDefault()}
    >
      {picture && <Attachment picture={picture} onRemove={detach} />}
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="field">
        <textarea
          ref={field}
          aria-label={`Message to ${room}`}
          placeholder={`Say something in ${room}`}
          rows={1}
          maxLength={TEXT_LENGTH}
          enterKeyHint="send"
          autoComplete="off"
          value={text}
          onChange={({ target }) => write(target.value)}
          onKeyDown={key}
          onPaste={(event) => take1(event, event.clipboardData)}
        />
        <input
          ref={file}
          type="file"
          accept="image/*"
          hidden
          onChange={({ target }) => {
            void attach(target.files?.[0])
            target.value = '' // the same file may be chosen again
          }}
        />
        <button type="button" className="small" aria-label="Add a picture" onClick={() => file.current?.click()}>
          <Icon name="picture" />
        </button>
        <button type="submit" className="send" aria-disabled={!text.trim() && !picture}>
          Send
          <Icon name="send" />
        </button>
      </div>
    </form>
  )
}
