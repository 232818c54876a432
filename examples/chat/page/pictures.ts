import type { Picture } from '../contract.ts'

/** Pictures that the page keeps at hand. */
const KEPT = 60

const urls = new Map<string, string>()

/** Keeps a picture under its message's id; returns a URL for an `<img>`. The oldest goes where there are too many. */
export const keepPicture = (message: string, { bytes, type }: Pick<Picture, 'bytes' | 'type'>): string => {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }))
  urls.set(message, url)
  const [oldest] = urls
  if (urls.size > KEPT && oldest) {
    urls.delete(oldest[0])
    URL.revokeObjectURL(oldest[1])
  }
  return url
}

/** The URL of a picture that is at hand. */
export const pictureAtHand = (message: string): string | undefined => urls.get(message)
