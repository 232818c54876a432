import type { Action, Dial, Fault } from './network.ts'
import { type Kind, PLAIN, type Program, type Step } from './program.ts'

// What a search has found once, and would not find soon again.

const line = (latency: number, ...faults: Fault[]): Dial => ({ how: 'ok', latency, faults })
const call = (kind: Kind, ms: number, pause: number): Step => ({
  do: 'call',
  kind,
  ms,
  pause,
  end: 'value',
  obeys: false,
  timeout: undefined,
  key: 'a',
  v: 1,
  items: 0,
})
const feed = (pause: number): Step => ({ do: 'subscribe', kind: 'feed', gaps: true, slow: 0, pause })
const move = (pause: number, ms = 0): Step => ({ do: 'restart', how: 'drain-here', newLog: false, ms, pause })
const hit = (on: 'all' | 'newest' | 'oldest', fault: Action, pause: number): Step => ({
  do: 'fault',
  fault,
  at: 'up',
  on,
  pause,
})
const wait = (pause: number): Step => ({ do: 'wait', pause })
const programOf = (dials: Dial[], ...steps: Step[]): Program => ({ ...PLAIN, dials, steps })

export const examples: [Program][] = [
  // The last socket that the server knows is one that was left, and is closed while the newest is lost.
  programOf(
    [line(1), line(1), line(20)],
    call('read', 90, 30),
    move(30),
    call('plain', 1_500, 10),
    hit('newest', { action: 'cut' }, 120),
  ),
  // A refresh over the older socket, after the newer one is lost before its welcome came.
  programOf(
    [line(1), line(5, { at: 'down', when: 'before', frame: 1, action: 'orphan' })],
    call('read', 90, 30),
    move(30),
    { do: 'refresh', pause: 10 },
  ),
  // A subscription on a slow socket, which moves to a fast one that is ahead of it.
  {
    ...programOf(
      [line(2, { at: 'up', when: 'before', frame: 6, action: 'cut' }), line(5)],
      { do: 'subscribe', kind: 'raw', gaps: true, slow: 0, pause: 10 },
      call('read', 0, 4),
      feed(120),
      move(0, 20),
    ),
    seed: 14,
    rate: 20,
    calls: 2,
    idle: 10,
  },
  // A socket that was left is found dead while a third is being welcomed.
  programOf(
    [line(20, { at: 'up', when: 'before', frame: 2, action: 'orphan' })],
    wait(120),
    move(0),
    call('read', 0, 124),
    move(0),
  ),
  // What was sent on a socket comes after the client has given it up.
  programOf([line(1)], feed(30), hit('all', { action: 'hold', ms: 150 }, 0), feed(120), move(200)),
  // The server lost the older socket, and the client does not know.
  programOf([line(1)], call('plain', 4, 2), hit('all', { action: 'orphan' }, 0), wait(30), call('plain', 0, 700)),
  // The same while it moves.
  programOf([line(1), line(20)], call('plain', 90, 30), move(30, 20), feed(0), hit('oldest', { action: 'orphan' }, 0)),
  // A hello that comes late, after another socket was lost.
  programOf(
    [
      line(1, { at: 'up', when: 'before', frame: 1, action: 'hold', ms: 600 }),
      line(1, { at: 'up', when: 'before', frame: 3, action: 'cut' }),
      line(1, { at: 'up', when: 'before', frame: 1, action: 'close', code: 1000 }),
    ],
    call('read', 0, 700),
  ),
].map((program) => [program])
