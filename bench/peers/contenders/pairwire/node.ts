import type { Server } from 'node:http'
import { attach } from '@pairwire/server/node'
import { create } from './server.ts'

export const attachNode = ({ http }: { http: Server }): void => attach(create(), http)
