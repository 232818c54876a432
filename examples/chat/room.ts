import { implement, memoryTopic } from '@pairwire/server'
import { type AuthenticateCall, durablePresence, durableTopic, RpcDurableObject } from '@pairwire/server/durable'
import { Archive } from './archive.ts'
import { chat, type Life, type Person, type RoomEvent, type Typing } from './contract.ts'
import type { Env } from './env.ts'
import { countLife } from './life.ts'
import { recognise } from './visitor.ts'

/**
 * One room: a Durable Object, which all who are in it are connected to. It sleeps whenever nothing happens, with its
 * sockets open, and nothing here has to know of that.
 */
export class ChatRoom extends RpcDurableObject<Env, Person> {
  readonly #archive = new Archive(this.ctx.storage)
  readonly #messages = durableTopic<RoomEvent>(this.ctx, 'messages', { retain: 1_000 })
  readonly #people = durablePresence(this.ctx, (person: Person) => person)
  /** In memory only: what nobody has to be told later. */
  readonly #typing = memoryTopic<Typing>({ retain: 100 })
  readonly #life = countLife(this.ctx.storage, this.env)

  readonly router = implement(chat)
    .context<Person>()
    .handlers({
      // No `await` in it: the message, its event, and the ledger's note that it was posted are written together, or not.
      post: ({ input, ctx }) => {
        const message = this.#archive.add(input, ctx)
        this.#messages.publish({ kind: 'message', message })
        return message
      },
      messages: ({ lastEventId }) =>
        this.#messages.subscribe({ lastEventId, snapshot: () => ({ kind: 'history', ...this.#archive.page() }) }),
      earlier: ({ input }) => this.#archive.page(input.before),
      picture: ({ input, errors }) => {
        const picture = this.#archive.picture(input.message)
        if (!picture) throw errors.GONE()
        return picture
      },
      me: ({ ctx }) => ctx,
      people: ({ lastEventId }) => this.#people.subscribe({ lastEventId }),
      typing: {
        say: ({ input, ctx }) => {
          this.#typing.publish({ person: ctx, typing: input })
        },
        events: ({ signal }) => this.#watchTyping(signal),
      },
      life: ({ signal }) => this.#watchLife(signal),
    })

  protected override authenticate({ params }: AuthenticateCall<Env>): Promise<Person> {
    return recognise(params)
  }

  /** Whoever changes their name goes on with their calls. */
  protected override owner({ id }: Person): string {
    return id
  }

  /** Takes the ids off, so that nobody who was away is told who typed meanwhile. */
  async *#watchTyping(signal: AbortSignal): AsyncGenerator<Typing> {
    for await (const { data } of this.#typing.subscribe({ signal })) yield data
  }

  /** Says which life this is, and waits for its end. In the next one it is run again, and says so. */
  async *#watchLife(signal: AbortSignal): AsyncGenerator<Life> {
    yield this.#life
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
}
