import { DurableObject } from 'cloudflare:workers'
import { durableTopic } from '../src/durable.ts'
import type { Topic } from '../src/topic.ts'

/** A Durable Object with a topic, which is published to by other Workers and by an alarm. */
export class TestBoard extends DurableObject {
  readonly topic: Topic<string> = durableTopic<string>(this.ctx, 'board')

  publish(event: string): string {
    return this.topic.publish(event)
  }

  cursor(): string {
    return this.topic.cursor
  }

  /** So many events, from the next or after one. */
  async read(count: number, lastEventId?: string): Promise<string[]> {
    const got: string[] = []
    const events = this.topic.subscribe({ lastEventId })
    while (got.length < count) got.push((await events.next()).value!.data)
    return got
  }

  async schedule(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + 3_600_000)
  }

  override alarm(): void {
    this.topic.publish('alarm')
  }
}
