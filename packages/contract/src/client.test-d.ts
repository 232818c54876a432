import { type } from 'arktype'
import * as v from 'valibot'
import * as z from 'zod'
import { expectType } from './expect-type.test-d.ts'
import {
  type Call,
  type Client,
  defineContract,
  type InferErrors,
  type InferHandlerInput,
  type InferHandlerOutput,
  type InferInput,
  type InferOutput,
  type InferStreamItem,
  mutation,
  query,
  type RpcError,
  type SchemaOutput,
  type Subscription,
  subscription,
  type as typed,
} from './index.ts'

const contract = defineContract({
  zod: query({ input: z.object({ at: z.coerce.date<string>() }), output: z.object({ at: z.coerce.date<string>() }) }),
  valibot: query({ input: v.object({ n: v.pipe(v.string(), v.transform(Number)) }), output: v.array(v.string()) }),
  arktype: query({ input: type({ 'a?': 'string' }), output: type('number') }),
  typed: query({ input: typed<{ id: string } | undefined>(), output: typed<Map<string, number>>() }),
  empty: mutation(),
  post: mutation({
    input: z.object({ text: z.string() }),
    output: z.string(),
    errors: { MUTED: z.object({ until: z.date() }), CLOSED: null },
  }),
  deep: {
    upload: mutation({ input: z.string(), inputStream: z.instanceof(Uint8Array), output: z.number() }),
    talk: subscription({ inputStream: z.string(), output: z.string(), errors: { FULL: null } }),
    events: subscription({ input: z.string().optional(), output: z.number() }),
  },
})
declare const client: Client<typeof contract>

// What schemas make and accept.
expectType<Call<{ at: Date }>>()(client.zod({ at: '2026-01-01' }))
expectType<Call<string[]>>()(client.valibot({ n: '1' }))
expectType<Call<number>>()(client.arktype({}))
expectType<Call<Map<string, number>>>()(client.typed())
expectType<Call<void>>()(client.empty())
expectType<Call<string, RpcError<'MUTED', { until: Date }> | RpcError<'CLOSED', undefined>>>()(
  client.post({ text: '' }),
)

// Input may be left out where undefined is one.
client.empty(undefined, { timeout: 1_000 })
client.typed(undefined, { signal: new AbortController().signal, metadata: { a: 'b' } })
// @ts-expect-error input is required
client.post()
// @ts-expect-error text is a string
client.post({ text: 1 })
// @ts-expect-error only a subscription resumes
client.post({ text: '' }, { lastEventId: '1' })

// A stream is required where the procedure takes one.
client.deep.upload('a', { stream: [new Uint8Array()] })
client.deep.upload('a', { stream: new ReadableStream<Uint8Array<ArrayBuffer>>(), timeout: 1_000 })
client.deep.talk(undefined, {
  stream: (async function* () {
    yield 'a'
  })(),
  lastEventId: '1',
})
// @ts-expect-error without a stream
client.deep.upload('a')
// @ts-expect-error items are bytes
client.deep.upload('a', { stream: ['a'] })

const events = client.deep.events()
expectType<Subscription<number>>()(events)
events.subscribe({ onData: async (event) => expectType<number>()(event) })()
client.deep.talk(undefined, { stream: [] }).subscribe({
  onError: (error) => void (error.code === 'FULL' && expectType<RpcError<'FULL', undefined>>()(error)),
})
// @ts-expect-error a subscription is not awaited
events.then(() => {})
// @ts-expect-error a call is not iterated
client.post({ text: '' })[Symbol.asyncIterator]

// A router carries its contract.
declare const sameClient: Client<{ '~contract': typeof contract; find(): void }>
expectType<typeof client>()(sameClient)

declare const inferred: {
  input: InferInput<typeof contract>
  output: InferOutput<typeof contract.zod>
  outputs: InferOutput<{ '~contract': typeof contract }>
  errors: InferErrors<typeof contract.deep.talk>
  item: InferStreamItem<typeof contract.deep.upload>
  handled: InferHandlerInput<typeof contract.zod>
  returned: InferHandlerOutput<typeof contract>
  any: SchemaOutput<z.ZodAny>
}
expectType<{ at: string }>()(inferred.input.zod)
expectType<undefined>()(inferred.input.deep.talk)
expectType<{ at: Date }>()(inferred.output)
expectType<number>()(inferred.outputs.deep.events)
expectType<RpcError<'FULL', undefined>>()(inferred.errors)
expectType<Uint8Array<ArrayBuffer>>()(inferred.item)
expectType<{ at: Date }>()(inferred.handled)
expectType<{ at: string }>()(inferred.returned.zod)
expectType<void>()(inferred.returned.empty)
expectType<any>()(inferred.any)
