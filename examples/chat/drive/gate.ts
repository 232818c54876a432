import type { Page, WebSocketRoute } from 'playwright-core'

/** Stands between a page's sockets and the server: what the server sends can be held up, and all of it can be cut. */
export const gate = () => {
  const sockets = new Set<WebSocketRoute>()
  const waiting: Array<() => void> = []
  let isShut = false
  let isCut = false
  return {
    /** To be done before the page is loaded. Its clock can be turned forward, too. */
    async prepare(page: Page) {
      await page.clock.install()
      await page.routeWebSocket(/\/rooms\//, (socket) => {
        if (isCut) return void socket.close({ code: 3_000 })
        sockets.add(socket)
        const server = socket.connectToServer()
        server.onMessage((message) => {
          const pass = () => socket.send(message)
          if (isShut) waiting.push(pass)
          else pass()
        })
      })
    },
    /** From here on the page hears nothing. */
    shut() {
      isShut = true
    },
    /** It hears what it missed, and everything. */
    open() {
      isShut = false
      for (const pass of waiting.splice(0)) pass()
    },
    /** All sockets are lost, and no new one can be made. */
    async cut() {
      isCut = true
      await Promise.all([...sockets].map((socket) => socket.close({ code: 3_000 })))
    },
    mend() {
      isCut = false
    },
  }
}
