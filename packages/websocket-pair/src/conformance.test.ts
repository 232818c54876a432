import { conformance } from './conformance.ts'
import { WebSocketPair } from './index.ts'

conformance('@pairwire/websocket-pair', WebSocketPair)
