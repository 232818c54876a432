import { RpcDurableObject } from '@pairwire/server/durable'
import { createRouter } from './router.ts'

export const durableObject = () =>
  class Bench extends RpcDurableObject {
    router = createRouter()
  }
