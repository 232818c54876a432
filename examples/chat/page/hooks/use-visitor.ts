import { useState } from 'react'

/** Who this page is for. The key is this browser's secret: its visits are one person's, whatever the name. */
export interface Visitor {
  name: string
  key: string
}

const FIRST = ['Amber', 'Cobalt', 'Indigo', 'Jade', 'Ochre', 'Olive', 'Russet', 'Sable', 'Scarlet', 'Teal', 'Umber']
const LAST = ['Finch', 'Fox', 'Hare', 'Heron', 'Ibis', 'Kestrel', 'Lynx', 'Marten', 'Otter', 'Plover', 'Wren']
const one = (words: string[]) => words[Math.floor(Math.random() * words.length)]

const read = (): Visitor => {
  const name = localStorage.getItem('name') ?? `${one(FIRST)} ${one(LAST)}`
  const key = localStorage.getItem('key') ?? crypto.randomUUID()
  return keep({ name, key })
}

const keep = (visitor: Visitor): Visitor => {
  localStorage.setItem('name', visitor.name)
  localStorage.setItem('key', visitor.key)
  return visitor
}

/** The visitor, by a name that was made up until they chose one. */
export const useVisitor = (): [visitor: Visitor, rename: (name: string) => void] => {
  const [visitor, setVisitor] = useState(read)
  return [visitor, (name) => setVisitor(({ key }) => keep({ key, name }))]
}
