import SuperJSON from 'superjson'
import { expect, it } from 'vitest'
import { createRichCodec } from './index.ts'
import { superjsonTypes } from './superjson-types.ts'

class Point {
  x: number
  at: Date
  constructor(x: number, at: Date) {
    this.x = x
    this.at = at
  }
  get double() {
    return this.x * 2
  }
}
class User {
  name = 'ada'
  password: string | undefined = 'secret'
}
class Money {
  readonly #cents: bigint
  constructor(cents: bigint) {
    this.#cents = cents
  }
  get cents() {
    return this.#cents
  }
}
const color = Symbol('color')

const superjson = new SuperJSON()
superjson.registerClass(Point, { identifier: 'Point' })
superjson.registerClass(User, { identifier: 'User', allowProps: ['name'] })
superjson.registerSymbol(color, 'color')
superjson.registerCustom<Money, string>(
  {
    isApplicable: (value): value is Money => value instanceof Money,
    serialize: ({ cents }) => `${cents}`,
    deserialize: (text) => new Money(BigInt(text)),
  },
  'money',
)
superjson.registerCustom<URLSearchParams, string[][]>(
  {
    isApplicable: (value): value is URLSearchParams => value instanceof URLSearchParams,
    serialize: (params) => [...params],
    deserialize: (entries) => new URLSearchParams(entries as [string, string][]),
  },
  'params',
)

const codec = createRichCodec(8, superjsonTypes(superjson))
const travel = (value: unknown) => {
  const { json, marks, bytes } = codec.encode(value)
  return codec.decode(JSON.parse(json), marks && JSON.parse(marks), bytes?.[0])
}

it('carries instances of a class, and the rich values in them', () => {
  const back = travel({ points: [new Point(3, new Date(5))] }) as { points: Point[] }
  expect(back).toStrictEqual({ points: [new Point(3, new Date(5))] })
  expect(back.points[0]!.double).toBe(6)
})

it('carries of a class no more than the properties that are allowed', () => {
  const user = new User()
  expect(codec.encode(user).json).toBe('{"name":"ada"}')
  const back = travel(user) as User
  expect(back).toBeInstanceOf(User)
  expect(Object.keys(back)).toEqual(['name'])
})

it('carries symbols as themselves', () => {
  expect(travel([color, { color }])).toEqual([color, { color }])
})

it('carries what has a transformer, alone or inside', () => {
  expect((travel(new Money(7n)) as Money).cents).toBe(7n)
  const { map } = travel({ map: new Map([['sum', new Money(9n)]]) }) as { map: Map<string, Money> }
  expect(map.get('sum')!.cents).toBe(9n)
  expect(String(travel(new URLSearchParams('a=1&b=2')))).toBe('a=1&b=2')
})

it('carries the rich types, and bytes, as ever', () => {
  const value = { at: new Date(0), big: 5n, none: undefined, set: new Set([/a/]), bytes: new Uint8Array([7]) }
  expect(travel(value)).toStrictEqual(value)
})

it('writes what superjson writes', () => {
  const value = { point: new Point(1, new Date(0)), color, sum: new Money(1n), user: new User() }
  const { json, meta } = superjson.serialize(value)
  const encoded = codec.encode(value)
  expect(JSON.parse(encoded.json)).toEqual(json)
  expect(JSON.parse(encoded.marks!)).toMatchObject({
    color: meta!.values!['color' as never],
    sum: meta!.values!['sum' as never],
    user: meta!.values!['user' as never],
    point: [['class', 'Point'], { at: ['Date'] }],
  })
})

it('keeps a key named __proto__ of an instance a key', () => {
  const instance = codec.decode(JSON.parse('{"x":1,"__proto__":{"polluted":true}}'), [['class', 'Point']], undefined)
  expect(instance).toBeInstanceOf(Point)
  expect(Object.keys(instance as Point)).toEqual(['x', '__proto__'])
  expect((instance as any).polluted).toBeUndefined()
})

it('refuses what was not registered, by its name and place', () => {
  class Unknown {}
  expect(() => codec.encode({ a: [new Unknown()] })).toThrow('a Unknown (at "a.0") is no plain data')
  expect(() => codec.encode({ a: Symbol('color') })).toThrow('a symbol (at "a") is no plain data')
})

it.each([
  [['class', 'Unknown'], {}],
  [['class', 'constructor'], {}],
  [['symbol', 'Unknown'], 'color'],
  [['custom', 'Unknown'], '5'],
  [['custom', '__proto__'], '5'],
  [['unknown', 'Point'], {}],
])('refuses to read %o', (mark, json) => {
  expect(() => codec.decode(json, [mark], undefined)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', executed: 'no' }),
  )
})

it('refuses what a transformer cannot read', () => {
  expect(() => codec.decode('no number', [['custom', 'money']], undefined)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

it('sees what is registered later', () => {
  const own = new SuperJSON()
  const late = createRichCodec(8, superjsonTypes(own))
  expect(() => late.encode(new User())).toThrow()
  own.registerClass(User)
  expect(late.encode(new User()).marks).toBe('[["class","User"]]')
})

it('takes the class itself, with what was registered with that', () => {
  class Angle {
    degrees = 0
  }
  SuperJSON.registerClass(Angle, { identifier: 'Angle' })
  const codec = createRichCodec(8, superjsonTypes(SuperJSON))
  const { json, marks } = codec.encode({ a: Object.assign(new Angle(), { degrees: 90 }) })
  const { a } = codec.decode(JSON.parse(json), JSON.parse(marks ?? ''), undefined) as { a: Angle }
  expect([a instanceof Angle, a.degrees]).toEqual([true, 90])
})

it('keeps a registered value whose JSON is undefined', () => {
  const anonymous = Symbol()
  const given = new SuperJSON()
  given.registerSymbol(anonymous, 'anonymous')
  const codec = createRichCodec(8, superjsonTypes(given))
  const { json, marks } = codec.encode({ s: anonymous })
  expect(codec.decode(JSON.parse(json), JSON.parse(marks ?? ''), undefined)).toEqual({ s: anonymous })
})

it('asks a transformer about plain data too, where something rich stands beside it', () => {
  const given = new SuperJSON()
  given.registerCustom<{ cents: number }, number>(
    {
      isApplicable: (value): value is { cents: number } => Object.hasOwn(Object(value), 'cents'),
      serialize: ({ cents }) => cents,
      deserialize: (cents) => ({ cents }),
    },
    'price',
  )
  given.registerCustom<string, string>(
    {
      isApplicable: (value): value is string => value === 'secret',
      serialize: () => '***',
      deserialize: (text) => text,
    },
    'secret',
  )
  const codec = createRichCodec(8, superjsonTypes(given))
  const { json, marks } = codec.encode({ at: new Date(0), price: { cents: 5 }, list: ['secret'] })
  expect(json).toBe('{"at":"1970-01-01T00:00:00.000Z","price":5,"list":["***"]}')
  expect(JSON.parse(marks!)).toEqual({ at: ['Date'], price: [['custom', 'price']], 'list.0': [['custom', 'secret']] })
})

it('sends of an instance that a transformer gives its properties, and changes nothing of it', () => {
  const given = new SuperJSON()
  const inner = Object.assign(new User(), { at: new Date(0) })
  given.registerCustom<Money, Record<string, never>>(
    {
      isApplicable: (value): value is Money => value instanceof Money,
      serialize: () => inner as never,
      deserialize: (json) => new Money(BigInt(Object.keys(json).length)),
    },
    'money',
  )
  const { json, marks } = createRichCodec(8, superjsonTypes(given)).encode(new Money(1n))
  expect(json).toBe('{"name":"ada","password":"secret","at":"1970-01-01T00:00:00.000Z"}')
  expect(marks).toBe('[["custom","money"],{"at":["Date"]}]')
  expect(inner.at).toEqual(new Date(0))
})
