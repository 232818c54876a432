import { time } from './time.ts'

/** One thing that came in. */
export interface Entry {
  kind: 'answer' | 'error' | 'connection'
  /** The procedure that was called. */
  from?: string
  text: string
  at: Date
  /** Milliseconds between the call and its answer. */
  took?: number
}

/** Entries kept. */
const MAX = 100

/** A list with the newest entry on top. */
export const createLog = (list: HTMLElement) => ({
  add({ kind, from, text, at, took }: Entry): void {
    const entry = document.createElement('li')
    entry.className = kind
    const what = document.createElement('p')
    if (from) what.append(element('code', from), ' ')
    what.append(element('span', text))
    const stamp = element('time', time(at, 3))
    stamp.dateTime = at.toISOString()
    const meta = document.createElement('p')
    meta.className = 'meta'
    meta.append(stamp)
    if (took !== undefined) meta.append(' ', element('span', `${took.toFixed(1)} ms`))
    entry.append(what, meta)
    list.prepend(entry)
    if (list.childElementCount > MAX) list.lastElementChild?.remove()
  },
})

const element = <Name extends keyof HTMLElementTagNameMap>(name: Name, text: string): HTMLElementTagNameMap[Name] => {
  const made = document.createElement(name)
  made.textContent = text
  return made
}
