import { type ClientOptions, createClient, type PairwireClient } from '@pairwire/client'
import { implement } from '@pairwire/router'
import { type tour, visitor } from './contract.ts'

export type TourClient = PairwireClient<typeof tour>

/** Frames that went over the sockets of one client. */
export interface Frames {
  sent: number
  received: number
}

/** One client on its way through the tour. */
export interface Visit {
  /** Of the Worker: `ws://localhost:8787`. */
  readonly url: string
  readonly client: TourClient
  readonly frames: Frames
  /** One more client, with its own connection. */
  another(): Visit
}

export const visit = (url: string, token = 'Ada'): Visit => {
  const frames: Frames = { sent: 0, received: 0 }
  const client = createClient<typeof tour>(url, {
    params: { token },
    // What the Worker may call on this client.
    router: implement(visitor).handlers({ name: ({ input }) => `${token}, asked "${input.greeting}"` }),
    WebSocket: counting(frames) as unknown as NonNullable<ClientOptions['WebSocket']>,
  })
  return { url: new URL(url).origin.replace('http', 'ws'), client, frames, another: () => visit(url, token) }
}

/** The platform's WebSocket, with a count of what passes. */
const counting = (frames: Frames): typeof WebSocket =>
  class extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      this.addEventListener('message', () => frames.received++)
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      frames.sent++
      super.send(data)
    }
  }
