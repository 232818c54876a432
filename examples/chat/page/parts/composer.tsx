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

/** Where messages are written: the visitor's end of the wire. */
export const Composer = ({ room, onSend, onTyping }: ComposerProps) => {
  const { text, setText, picture, isReading, problem, attach, detach, take } = useDraft()
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
  // Words come with their picture from some programs: then the words are meant.
  const paste = (event: ClipboardEvent) => {
    const { files, types } = event.clipboardData
    if (!files[0] || types.includes('text/plain')) return
    event.preventDefault()
    void attach(files[0])
  }
  // A file that nobody takes would be opened by the browser, in the place of this page.
  const drag = (event: DragEvent) => {
    const { files, types } = event.dataTransfer
    if (!types.includes('Files')) return
    event.preventDefault()
    if (event.type === 'drop') void attach(files[0])
  }

  return (
    <form className="composer" aria-label="Write a message" onSubmit={send} onDrop={drag} onDragOver={drag}>
      {picture && <Attachment picture={picture} onRemove={detach} />}
      {isReading && <p className="reading">Reading the picture</p>}
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
          onPaste={paste}
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
        <button type="submit" className="send" aria-disabled={isReading || (!text.trim() && !picture)}>
          Send
          <Icon name="send" />
        </button>
      </div>
    </form>
  )
}
