import { useState } from 'react'
import type { Picture } from '../../contract.ts'
import { PICTURE_BYTES } from '../../limits.ts'
import { shrink } from '../shrink.ts'

/** What the visitor is about to say. */
export const useDraft = () => {
  const [text, setText] = useState('')
  const [picture, setPicture] = useState<Picture>()
  const [isReading, setIsReading] = useState(false)
  const [problem, setProblem] = useState('')

  const attach = async (file: Blob | null | undefined) => {
    if (!file) return
    setProblem('')
    setIsReading(true)
    try {
      setPicture(await shrink(file, PICTURE_BYTES))
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setIsReading(false)
    }
  }
  const detach = () => {
    setPicture(undefined)
    setProblem('')
  }
  /** What there is to say, and the draft is empty. */
  const take = () => {
    const said = { text: text.trim(), picture }
    if (isReading || (!said.text && !picture)) return
    setText('')
    detach()
    return said
  }
  return { text, setText, picture, isReading, problem, attach, detach, take }
}
