import { type ClientOptions, createClient, type PairwireClient } from '@pairwire/client'
import { WebSocket } from 'ws'
import { type Served, serve } from './serve.ts'
import type { contract } from './worker/contract.ts'

export type StageClient = PairwireClient<typeof contract>

/** A worker with objects of class `Stage`, served in workerd. */
export interface Stages extends Served {
  /** How often an object was made since its code was loaded; asking does not wake it. */
  lives(name: string): Promise<number>
  /** A client of an object. It comes back soon after a lost socket. */
  connect(name: string, options?: ClientOptions): StageClient
}

export const serveStages = async (): Promise<Stages> => {
  const served = await serve({ main: new URL('./worker/main.ts', import.meta.url), objects: { STAGES: 'Stage' } })
  return {
    ...served,
    lives: async (name) => (await fetch(`${served.http}/lives?of=${name}`)).json() as Promise<number>,
    connect: (name, options) =>
      createClient<typeof contract>(`${served.ws}/${name}`, {
        WebSocket: WebSocket as never,
        reconnect: { minDelay: 20, maxDelay: 200 },
        ...options,
      }),
  }
}
