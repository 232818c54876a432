import { RpcError } from '@pairwire/contract'
import type { Line } from './line.ts'
import { END, ITEM } from './messages.ts'
import { createSender, type Sender, type Source } from './sender.ts'

/** Sends an input stream along with a call. `failed` is told why a source could not be read to its end. */
export type Upload = (line: Line, id: number, stream: Source, failed: (error: RpcError) => void) => Sender

export const upload: Upload = (line, id, stream, failed) => {
  const sender = createSender(line, id, line.window, (item) => line.send(`${ITEM},${id}`, line.codec.encode(item)))
  sender.run(stream).then(
    (done) => done && line.push(`[${END},${id}]`),
    (cause) => {
      line.push(`[${END},${id},{"code":"ABORTED"}]`)
      failed(new RpcError('ABORTED', `the stream failed: ${cause?.message}`, { cause, executed: 'unknown' }))
    },
  )
  return sender
}
