// Runs the examples: `npm start`. Serves them in workerd, walks the tour against its worker, and leaves the chat's page up.
//   --once          walks through the chat in Chromium as well, and ends; exit status 1 if a step failed
//   --page counter  another page than the chat's
//   --port 8787     where the page is; without it, 8787 or the next port that is free
//   --screenshots   takes the pictures of the chat for the documentation, and ends
import './quiet.mjs'
import { parseArgs, styleText } from 'node:util'
import { walk } from '../examples/tour/walk.ts'
import { freePort } from './start/port.mjs'
import { serveExample } from './start/serve.mjs'

const PAGES = {
  chat: 'Open it twice, and pull the plug.',
  counter: 'A click counts.',
}

const servers = []
const stop = () => Promise.all(servers.splice(0).map((server) => server.close()))

try {
  const { once, page, port, screenshots } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      page: { type: 'string', default: 'chat' },
      port: { type: 'string', default: '' },
      screenshots: { type: 'boolean', default: false },
    },
  }).values
  if (!PAGES[page]) throw new Error(`--page ${page}: there are ${Object.keys(PAGES).join(' and ')}`)
  if (screenshots) await shoot()
  else if (once) await runThrough()
  else await remain(page, await choose(port))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
  await stop()
}

async function shoot() {
  const { shootChat } = await import('./start/chat.mjs')
  const [chat] = await start(['chat', 0])
  await shootChat(chat.url)
  await stop()
}

async function runThrough() {
  const { walkChat } = await import('./start/chat.mjs')
  const [tour, chat] = await start(['tour', 0], ['chat', 0])
  const all = [await walk(tour.url)]
  console.log()
  all.push(await walkChat(chat.url))
  say(all)
  await stop()
}

async function remain(name, port) {
  const [tour, page] = await start(['tour', 0], [name, port])
  say([await walk(tour.url)])
  console.log(`\nThe ${name}: ${styleText('bold', page.url)}   ${PAGES[name]} Ctrl-C stops.`)
  for (const signal of ['SIGINT', 'SIGTERM']) {
    // miniflare's own listeners would end the process on the spot, and as a failure.
    process.removeAllListeners(signal)
    process.once(signal, async () => {
      await stop()
      process.exit(0)
    })
  }
}

/** How many steps passed and failed, of all walks together. */
function say(walks) {
  const sum = (what) => walks.reduce((total, counts) => total + counts[what], 0)
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
  if (sum('failed')) process.exitCode = 1
}

/** The port of the page. */
async function choose(given) {
  if (!given) return freePort(8_787)
  const port = Number(given)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--port ${given} is no port`)
  if ((await freePort(port)) !== port) throw new Error(`port ${port} is in use`)
  return port
}

/** Starts all at once, and remembers those that did start, so that they are stopped where another one did not. */
async function start(...examples) {
  const results = await Promise.allSettled(examples.map(([name, port]) => serveExample(name, { port })))
  for (const { value } of results) if (value) servers.push(value)
  const failure = results.find(({ status }) => status === 'rejected')
  if (failure) throw failure.reason
  return servers
}
