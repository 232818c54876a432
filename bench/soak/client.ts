import { WebSocket as WsSocket } from 'ws'
import { type ClientOptions, createClient, type PairwireClient } from '../../packages/client/src/index.ts'
import type { soak } from './contract.ts'

export type SoakClient = PairwireClient<typeof soak>

/** The platform's socket or, for every other client, the `ws` package's. */
export const createSoakClient = (url: string, user: string, index: number): SoakClient =>
  createClient<typeof soak>(url, {
    params: { user },
    timeout: 15_000,
    connectTimeout: 1_000,
    pongTimeout: 300,
    // Nobody is spared here: a client comes back as soon as it can.
    reconnect: { minDelay: 1, maxDelay: 10 },
    ...(index % 2 === 1 && { WebSocket: WsSocket as unknown as NonNullable<ClientOptions['WebSocket']> }),
  })
