import { useEffect, useState } from 'react'
import type { Picture } from '../../contract.ts'
import { Icon } from './icon.tsx'

/** The picture that goes with the next message. */
export const Attachment = ({ picture, onRemove }: { picture: Picture; onRemove(): void }) => {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([picture.bytes as Uint8Array<ArrayBuffer>], { type: picture.type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [picture])
  return (
    <div className="attachment">
      {url && <img src={url} alt="To be sent" width={picture.width} height={picture.height} />}
      <p>
        {picture.width} × {picture.height}
        <br />
        {Math.ceil(picture.bytes.length / 1_000)} kB
      </p>
      <button type="button" className="small" aria-label="Remove the picture" onClick={onRemove}>
        <Icon name="close" />
      </button>
    </div>
  )
}
