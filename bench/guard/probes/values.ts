import '../counters.ts'

const { default: SuperJson } = await import('superjson')
const { superjsonTypes, richTypes } = await import('../../../packages/wire/src/index.ts')
const { count } = await import('../counters.ts')
const { createPlace } = await import('../workloads.ts')
const { checks } = await import('../app.ts')
type RichTypes = import('../../../packages/wire/src/index.ts').RichTypes

const ROUNDS = 10

/** Types that say how often they are asked about a value. */
const spied = (types: RichTypes) => {
  const asked = { flattened: 0, revived: 0 }
  const spy: RichTypes = {
    ...types,
    flatten(value, kind) {
      asked.flattened++
      return types.flatten(value, kind)
    },
    revive(mark, json) {
      asked.revived++
      return types.revive(mark, json)
    },
  }
  return { asked, spy }
}

/** About what a page asks for: 40 items with some fields each, and as many dates and maps if they are wanted. */
const order = (isRich: boolean) => ({
  kind: 'order',
  items: Array.from({ length: 40 }, (_, id) => ({
    id,
    title: `Item number ${id}`,
    price: { amount: 19.99, currency: 'EUR' },
    active: true,
    createdAt: isRich ? new Date(id) : '1970-01-01T00:00:00.000Z',
    attributes: isRich ? new Map([['color', 'red']]) : { color: 'red' },
  })),
})
const RICH_VALUES = 80

/** A value that is read where a codec reads it. */
const watched = (more: object) => {
  const reads = { count: 0 }
  const value = {
    get field() {
      reads.count++
      return 1
    },
    ...more,
  }
  // Spreading would have asked the getter, which is what is to be counted.
  Object.defineProperty(value, 'field', { get: () => ++reads.count && 1, enumerable: true, configurable: true })
  reads.count = 0
  return { reads, value }
}

const ofTypes = async (types: RichTypes, asked: { flattened: number; revived: number }) => {
  const client = await createPlace(types).open()
  const times = async (value: unknown) => {
    await client.echo(value)
    asked.flattened = asked.revived = 0
    const counts = await count(async () => {
      for (let i = 0; i < ROUNDS; i++) await client.echo(value)
    })
    return {
      flattened: asked.flattened / ROUNDS,
      revived: asked.revived / ROUNDS,
      stringified: counts.stringified / ROUNDS,
    }
  }
  return { client, times }
}

/** Each way, how often the codec asks what a value is, and reads it. */
const measureValues = async () => {
  const { asked, spy } = spied(richTypes)
  const { client, times } = await ofTypes(spy, asked)
  const plain = await times(order(false))
  const rich = await times(order(true))
  const reads = async (more: object) => {
    const { reads, value } = watched(more)
    await client.echo(value)
    return reads.count
  }
  const read = { plain: await reads({ text: 'plain' }), rich: await reads({ at: new Date(0) }) }

  // With what an application has registered, superjson itself is asked.
  let transformed = 0
  const superjson = new SuperJson()
  class Money {
    amount = 0
  }
  superjson.registerClass(Money)
  superjson.registerCustom<never, string>(
    {
      isApplicable: (_value): _value is never => {
        transformed++
        return false
      },
      serialize: () => '',
      deserialize: () => undefined as never,
    },
    'nothing',
  )
  const registered = spied(superjsonTypes(superjson))
  const own = await ofTypes(registered.spy, registered.asked)
  transformed = 0
  const plainOfOwn = await own.times(order(false))

  return {
    'of plain data: values asked about': plain.flattened + plain.revived,
    'of plain data: JSON.stringify': plain.stringified,
    'of plain data: times a field is read': read.plain,
    'of plain data: values superjson is asked about': plainOfOwn.flattened + plainOfOwn.revived + transformed,
    'with 80 rich values: each is asked about': rich.flattened / RICH_VALUES / 2,
    'with 80 rich values: each is revived': rich.revived / RICH_VALUES / 2,
    'with 80 rich values: JSON.stringify': rich.stringified,
    'with rich values: times a field is read': read.rich,
  }
}

/** One event for each of 100 sockets. */
const measureBroadcast = async () => {
  const SOCKETS = 100
  const { open, sockets } = createPlace()
  const clients = await Promise.all(Array.from({ length: SOCKETS }, open))
  let left = 0
  let done = () => {}
  const onData = () => --left || done()
  for (const client of clients) {
    client.room().subscribe({ onData })
    await client.add({ a: 1, b: 2 })
  }
  const publish = async () => {
    left = SOCKETS
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    await Promise.all([clients[0]!.publish(1), all])
  }
  await publish()
  const { stringify } = JSON
  let encoded = 0
  JSON.stringify = (...args: unknown[]) => {
    if (typeof args[0] === 'object' && 'seq' in args[0]!) encoded++
    return stringify(...(args as [unknown]))
  }
  checks.event = 0
  const ends = sockets.filter((_, i) => i % 2)
  for (const end of ends) end.sent = end.asked = 0
  await publish()
  JSON.stringify = stringify
  const sum = (of: 'sent' | 'asked') => ends.reduce((sum, end) => sum + end[of], 0)
  return {
    'times an event is encoded': encoded,
    'times an event is checked': checks.event,
    // The publisher's socket has the answer of its call in the same one.
    'frames to each socket': sum('sent') / SOCKETS,
    'times bufferedAmount is read, per frame': sum('asked') / sum('sent'),
  }
}

export const measure = async () => ({ values: await measureValues(), broadcast: await measureBroadcast() })
