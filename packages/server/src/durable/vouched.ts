import { createRichCodec, LIMITS, type RichTypes, richTypes } from '@pairwire/wire'

/** What a Worker found out about an upgrade before it passed it on. */
export interface Vouched {
  /** What `authenticate` of `rooms` returned; undefined without one. */
  readonly identity: unknown
  /** The name of the room that was asked for. */
  readonly name: string
}

/** How it travels. JSON, as all of `request.cf` is. */
interface Written {
  readonly name: string
  /** An identity as the rich codec writes it; no json: undefined. */
  readonly json: string
  readonly marks?: string | undefined
}

const KEY = 'pairwire'

/**
 * A request that says of itself that its origin was checked, and whose it is. It says so in `request.cf`, which the
 * platform writes: a client cannot, as it can each header. Another Worker that reaches the object can, and is the owner's own.
 *
 * @throws RpcError INVALID_ARGUMENT, Error for an identity that is no plain data, or has bytes
 */
export const vouch = (request: Request, { identity, name }: Vouched, types: RichTypes = richTypes): Request => {
  const { json, marks, bytes } = createRichCodec(LIMITS.depth, types).encode(identity)
  if (bytes) throw new TypeError('an identity cannot have bytes: write them as text')
  const written: Written = { name, json, marks }
  return new Request(request, { cf: { ...request.cf, [KEY]: written } as CfProperties })
}

/**
 * What a Worker with `rooms` found out about this upgrade: its origin may connect, and whose it is. Undefined where the
 * request came another way, and nothing was checked.
 *
 * @param types the same that `rooms` was given
 * @throws Error where an identity has a type that is not among them
 */
export const vouchedFor = (request: Request, types: RichTypes = richTypes): Vouched | undefined => {
  const written = (request.cf as Record<string, unknown> | undefined)?.[KEY] as Written | undefined
  if (!written) return undefined
  const { name, json, marks } = written
  if (!json) return { name, identity: undefined }
  const codec = createRichCodec(LIMITS.depth, types)
  return { name, identity: codec.decode(JSON.parse(json), marks && JSON.parse(marks), undefined) }
}
