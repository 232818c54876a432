import { DurableObject } from 'cloudflare:workers'
import type { Topic } from '../topic.ts'
import { durableTopic } from './durable-topic.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, ..._check: Equal<Actual, Expected> extends true ? [] : ['another type']): void => {}

interface Message {
  readonly text: string
}

export class Room extends DurableObject {
  // A field, without a word about its type.
  messages = durableTopic<Message>(this.ctx, 'messages', { retain: 10, bytes: undefined, age: 1_000 })

  read(): void {
    expectType<Topic<Message>>()(this.messages)
    expectType<Message>()(this.messages.publish({ text: 'hello' }))
    // @ts-expect-error: no message
    this.messages.publish({ words: 'hello' })
    // @ts-expect-error: no such option
    durableTopic(this.ctx, 'messages', { keep: 10 })
    // @ts-expect-error: a topic has a name
    durableTopic(this.ctx)
  }
}
