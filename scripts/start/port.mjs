import { createServer } from 'node:net'

/** The first port from `port` on that nobody listens on, on either address that `localhost` stands for. */
export async function freePort(port) {
  for (const host of ['127.0.0.1', '::1']) if (await isTaken(port, host)) return freePort(port + 1)
  return port
}

function isTaken(port, host) {
  return new Promise((done) => {
    const probe = createServer()
    // A machine without IPv6 has no such address; then nobody listens there either.
    probe.once('error', ({ code }) => done(code === 'EADDRINUSE' || code === 'EACCES'))
    probe.listen(port, host, () => probe.close(() => done(false)))
  })
}
