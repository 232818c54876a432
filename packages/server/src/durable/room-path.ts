/** Characters of a room's name; a URL writes each with up to twelve. */
const LONGEST = 128
/** No control characters, which no log should have, and no half of a surrogate pair, which no URL can say. */
const NAME = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${LONGEST}}$`, 'u')

/** A name that was found in a path. */
export interface RoomName {
  readonly name: string
  /** Why it is none. */
  readonly problem: string | undefined
}

/** What is wrong with a room's name; undefined if nothing is. */
export const refuseName = (name: string): string | undefined =>
  NAME.test(name) ? undefined : `a room's name has 1 to ${LONGEST} characters, none of them a control character`

/**
 * Makes what finds a room's name in a path, decoded; undefined for a path that does not lead to a room.
 *
 * @throws TypeError for a pattern that has not exactly one segment `:name`
 */
export const roomPath = (pattern: string): ((pathname: string) => RoomName | undefined) => {
  const found = /^((?:\/[^/:*?#]+)*)\/:name((?:\/[^/:*?#]+)*)$/.exec(pattern)
  if (!found)
    throw new TypeError(`rooms(): path is ${JSON.stringify(pattern)}; give it one segment :name, as in '/rooms/:name'`)
  const [, before = '', after = ''] = found
  return (pathname) => {
    if (!pathname.startsWith(`${before}/`) || !pathname.endsWith(after)) return undefined
    const segment = pathname.slice(before.length + 1, pathname.length - after.length)
    if (!segment || segment.includes('/')) return undefined
    try {
      const name = decodeURIComponent(segment)
      return { name, problem: refuseName(name) }
    } catch {
      return { name: segment, problem: "the room's name in the URL is malformed: write it with encodeURIComponent" }
    }
  }
}
