// Runs the examples: `npm start`. Serves both in workerd, walks the tour against its worker, and leaves the page up.
//   --once        ends after the transcript; exit status 1 if a step of it failed
//   --port 8787   where the page is; without it, 8787 or the next port that is free
import './quiet.mjs'
import { parseArgs, styleText } from 'node:util'
import { walk } from '../examples/tour/walk.ts'
import { freePort } from './start/port.mjs'
import { serveExample } from './start/serve.mjs'

const servers = []
const stop = () => Promise.all(servers.splice(0).map((server) => server.close()))

try {
  const options = { once: { type: 'boolean', default: false }, port: { type: 'string', default: '' } }
  const { once, port } = parseArgs({ options }).values
  const [tour, page] = await start(['tour', 0], ['counter', await choose(port, once)])
  const { passed, failed } = await walk(tour.url)
  console.log(`\n${passed} passed, ${failed} failed`)
  if (failed) process.exitCode = 1
  if (once) await stop()
  else await remain(page)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
  await stop()
}

/** The port of the page. 0, any free one, where nobody will look at it. */
async function choose(given, once) {
  if (!given) return once ? 0 : freePort(8_787)
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

async function remain(page) {
  console.log(`\nThe counter's page: ${styleText('bold', page.url)}   Ctrl-C stops.`)
  for (const signal of ['SIGINT', 'SIGTERM']) {
    // miniflare's own listeners would end the process on the spot, and as a failure.
    process.removeAllListeners(signal)
    process.once(signal, async () => {
      await stop()
      process.exit(0)
    })
  }
}
