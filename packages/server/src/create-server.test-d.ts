import { createServer, defineContract, implement, query } from './index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType = <A, B>(_equal: Equal<A, B>): void => {}

const contract = defineContract({ who: query({}) })
const plain = implement(contract).handlers({ who: () => {} })
const withUser = implement(contract)
  .context<{ user: string }>()
  .handlers({ who: () => {} })

createServer(plain)
createServer(plain, { origins: '*' })
createServer(plain, { authenticate: ({ params }) => String(params) })
// @ts-expect-error a router that asks for a context has to be given one
createServer(withUser)
// @ts-expect-error the context lacks the user
createServer(withUser, { context: () => ({}) })
createServer(withUser, { context: () => ({ user: 'Ada' }) })

// The identity is what authenticate returns, with or without an annotation, and awaited.
createServer(withUser, {
  authenticate: ({ params }) => ({ name: String(params) }),
  context: ({ identity }) => {
    expectType<typeof identity, { name: string }>(true)
    return { user: identity.name }
  },
})
createServer(withUser, {
  authenticate: async ({ request, params }) => ({ name: `${request.url} ${params}` }),
  context: ({ identity }) => {
    expectType<typeof identity, { name: string }>(true)
    return { user: identity.name }
  },
})
createServer(withUser, {
  context: ({ identity }) => {
    expectType<typeof identity, undefined>(true)
    return { user: 'nobody' }
  },
})
