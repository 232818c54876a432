import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Pixels from the end that still count as being there. */
const NEAR = 64

/**
 * Keeps a list that scrolls where its reader is: at its end while they are there, and at the same messages otherwise,
 * also when older ones are put before them.
 *
 * @param first what says that something was put before: the key of the first item
 * @param own what says that the reader added something themselves, and wants to see it: its key
 * @param onEnd hears whether they are at the end
 */
export const useStick = (
  scroll: RefObject<HTMLElement | null>,
  first: unknown,
  own: unknown,
  onEnd: (isAtEnd: boolean) => void,
) => {
  const sticks = useRef(true)
  const before = useRef({ first, height: 0 })
  const [isAtEnd, setIsAtEnd] = useState(true)

  const toEnd = useCallback(() => {
    sticks.current = true
    scroll.current?.scrollTo({ top: scroll.current.scrollHeight })
  }, [scroll])

  useLayoutEffect(() => {
    if (own) sticks.current = true
  }, [own])

  useLayoutEffect(() => {
    const element = scroll.current!
    const { scrollHeight: height } = element
    if (sticks.current) element.scrollTop = height
    else if (first !== before.current.first) element.scrollTop += height - before.current.height
    before.current = { first, height }
  })

  useEffect(() => {
    const element = scroll.current!
    const follow = () => {
      sticks.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
      setIsAtEnd(sticks.current)
      onEnd(sticks.current)
    }
    // The place for it may change too: the keyboard of a phone, a longer draft.
    const resized = new ResizeObserver(() => sticks.current && toEnd())
    element.addEventListener('scroll', follow, { passive: true })
    resized.observe(element)
    return () => {
      element.removeEventListener('scroll', follow)
      resized.disconnect()
    }
  }, [scroll, toEnd, onEnd])

  return { isAtEnd, toEnd }
}
