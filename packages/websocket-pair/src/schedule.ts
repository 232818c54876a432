import { type ChannelClass, platform } from './platform.ts'
import { Queue } from './queue.ts'

type Schedule = (task: () => void) => void

/**
 * Runs a task in a later turn of the event loop: after every pending microtask, and in the order of the calls.
 *
 * workerd delivers each WebSocket event in a turn of its own, with all microtasks run between two of them; a chain of
 * promises would not do, since any other chain could then come between. The functions are taken when the module loads,
 * so fake timers installed by a test do not stop the sockets (as they do not in workerd).
 */
export const schedule: Schedule = chooseSchedule()

function chooseSchedule(): Schedule {
  const { setImmediate, MessageChannel, setTimeout } = platform
  // Node, Bun, Deno and workerd. A pending immediate keeps a Node process alive, an idle pair does not.
  if (setImmediate !== undefined) return (task) => void setImmediate(task)
  if (MessageChannel !== undefined) return throughChannel(MessageChannel)
  return (task) => void setTimeout(task, 0)
}

/** Browsers: `setTimeout` would wait 4 ms from the fifth nested call on. The channel is made at the first use. */
function throughChannel(MessageChannel: ChannelClass): Schedule {
  const tasks = new Queue<() => void>()
  let wake: (() => void) | undefined
  const open = () => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => tasks.shift()?.()
    return () => port2.postMessage(null)
  }
  return (task) => {
    wake ??= open()
    tasks.push(task)
    wake()
  }
}
