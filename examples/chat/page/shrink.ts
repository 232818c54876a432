import type { Picture } from '../contract.ts'

/** Pixels of the longer side, and how much is given up for bytes, attempt by attempt. */
const SIDE = 1_600
const ATTEMPTS = [
  [1, 0.85],
  [1, 0.6],
  [0.6, 0.7],
  [0.35, 0.6],
] as const

/**
 * Makes a picture as small as a message may be.
 *
 * @param most bytes
 * @throws Error in words for the visitor: where this is no picture, or cannot be made small enough
 */
export const shrink = async (file: Blob, most: number): Promise<Picture> => {
  const image = await read(file)
  const fit = Math.min(1, SIDE / Math.max(image.naturalWidth, image.naturalHeight))
  // Drawings and screenshots stay as sharp as they are. Photographs are drawn anew in any case: where they were taken is
  // written in them, too, and is nobody's business.
  if (file.type === 'image/png' && file.size <= most && fit === 1) return asItIs(file, image)
  for (const [scale, quality] of ATTEMPTS) {
    const picture = await drawn(image, fit * scale, quality)
    if (picture.bytes.length <= most) return picture
  }
  throw new Error(`This picture has too much in it: it should fit into ${Math.round(most / 1_000)} kB.`)
}

const read = async (file: Blob): Promise<HTMLImageElement> => {
  const image = new Image()
  image.src = URL.createObjectURL(file)
  try {
    await image.decode()
    if (image.naturalWidth) return image
  } catch {
  } finally {
    URL.revokeObjectURL(image.src)
  }
  throw new Error('This is no picture that your browser can read.')
}

const asItIs = async (
  file: Blob,
  { naturalWidth: width, naturalHeight: height }: HTMLImageElement,
): Promise<Picture> => ({
  type: 'image/png',
  width,
  height,
  bytes: new Uint8Array(await file.arrayBuffer()),
})

const drawn = async (image: HTMLImageElement, scale: number, quality: number): Promise<Picture> => {
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale))
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale))
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = (await encoded(canvas, 'image/webp', quality)) ?? (await encoded(canvas, 'image/jpeg', quality))
  if (!blob) throw new Error('Your browser cannot write pictures.')
  const { width, height } = canvas
  return { type: blob.type as Picture['type'], width, height, bytes: new Uint8Array(await blob.arrayBuffer()) }
}

/** The encoded picture; undefined where the browser cannot write this type, and wrote another. */
const encoded = (canvas: HTMLCanvasElement, type: Picture['type'], quality: number) =>
  new Promise<Blob | undefined>((resolve) =>
    canvas.toBlob((blob) => resolve(blob?.type === type ? blob : undefined), type, quality),
  )
