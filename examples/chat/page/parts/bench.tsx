import type { Life } from '../../contract.ts'
import type { Standing } from '../hooks/use-connection.ts'
import { useSleep } from '../hooks/use-sleep.ts'
import { useSockets } from '../hooks/use-sockets.ts'
import type { Line } from '../line.ts'
import { Close } from './close.tsx'
import { Icon } from './icon.tsx'
import { Wiring } from './wiring.tsx'

/** Milliseconds that a cut lasts. */
const CUT = 3_000

export interface BenchProps {
  room: string
  line: Line
  standing: Standing
  now: Life | undefined
  before: Life | undefined
}

/** Where the visitor may break things, and watch that nothing comes of it. */
export const Bench = ({ room, line, standing, now, before }: BenchProps) => {
  const { sleep, evict, problem } = useSleep(room, now)
  const sockets = useSockets(standing)
  return (
    <aside id="bench" className="bench" popover="auto" aria-labelledby="bench-title">
      <h2 id="bench-title">Pull the plug</h2>
      <Close what="bench" />
      <p>This room is one Durable Object, and sleeps whenever it can. Break it in mid-sentence. The talk goes on.</p>
      <Wiring {...{ standing, sockets, now, before, sleep }} />
      {now?.evictable && (
        <div className="deed">
          <button type="button" aria-describedby="evict-words" onClick={evict}>
            <Icon name="sleep" />
            Evict the object
          </button>
          <p id="evict-words">
            Its memory is gone, with everybody’s subscriptions. The sockets stay, and nobody notices.
          </p>
          {problem && <p role="alert">{problem}</p>}
        </div>
      )}
      <div className="deed">
        <button type="button" aria-describedby="drop-words" onClick={() => line.cut(CUT)}>
          <Icon name="cut" />
          Drop the socket
        </button>
        <p id="drop-words">
          For {CUT / 1_000} seconds nothing gets through. Go on writing: it arrives afterwards, once, and you miss
          nothing.
        </p>
      </div>
    </aside>
  )
}
