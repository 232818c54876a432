import * as z from 'zod'
import { expectType } from './expect-type.test-d.ts'
import { defineContract, mutation, type Procedure, query, subscription } from './index.ts'

const Text = z.string()
const contract = defineContract({
  plain: query({ input: Text }),
  empty: mutation(),
  full: mutation({ input: Text, errors: { GONE: null }, meta: { auth: true }, retry: 'once' }),
  deep: { er: { events: subscription({ output: Text }) } },
})
// Inside a contract a procedure has the type that it has outside of one.
// biome-ignore lint/complexity/noBannedTypes: no errors declared
expectType<Procedure<'query', typeof Text, undefined, undefined, {}, undefined>>()(contract.plain)
// biome-ignore lint/complexity/noBannedTypes: no errors declared
expectType<Procedure<'mutation', undefined, undefined, undefined, {}, undefined>>()(contract.empty)
expectType<Procedure<'mutation', typeof Text, undefined, undefined, { GONE: null }, { auth: boolean }>>()(contract.full)
// biome-ignore lint/complexity/noBannedTypes: no errors declared
expectType<Procedure<'subscription', undefined, typeof Text, undefined, {}, undefined>>()(contract.deep.er.events)

// A contract may be a part of another one.
defineContract({ chat: contract, ping: query() })

// @ts-expect-error a client cannot carry it
defineContract({ then: query() })
// @ts-expect-error nor deeper down
defineContract({ files: { toJSON: query() } })
// @ts-expect-error belongs to pairwire
defineContract({ $connection: query() })
// @ts-expect-error belongs to pairwire
defineContract({ files: { '~contract': query() } })
// @ts-expect-error a dot
defineContract({ 'files.list': query() })
// @ts-expect-error a schema is no procedure
defineContract({ post: z.object({}) })
// @ts-expect-error a function is no procedure
defineContract({ post: () => 1 })
// @ts-expect-error not a schema
query({ input: String })
// @ts-expect-error not a schema
query({ errors: { GONE: undefined } })
// @ts-expect-error no such definition
query({ inputs: Text })
// @ts-expect-error only a mutation
query({ input: Text, retry: 'once' })
// @ts-expect-error no such way to retry
mutation({ retry: 'always' })
