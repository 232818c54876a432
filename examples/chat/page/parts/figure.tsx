import type { ChatClient } from '../client.ts'
import { usePicture } from '../hooks/use-picture.ts'

/** Pixels that a picture may be high. */
const HIGH = 240

export interface FigureProps {
  client: ChatClient
  message: string
  width: number
  height: number
  by: string
}

/** A picture in the log. Its place is kept free until it is here, so that nothing moves. */
export const Figure = ({ client, message, width, height, by }: FigureProps) => {
  const { url, gone } = usePicture(client, message)
  const wide = Math.round(Math.min(width, (HIGH * width) / height))
  return (
    <div className="figure" style={{ inlineSize: `min(100%, ${wide}px)`, aspectRatio: `${width} / ${height}` }}>
      {url && <img src={url} alt={`From ${by}`} width={width} height={height} />}
      {gone && <p>This picture is no longer kept.</p>}
    </div>
  )
}
