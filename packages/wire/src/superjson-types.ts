import { type Flat, type Mark, type RichTypes, richTypes } from './rich-types.ts'

/** The parts of a SuperJSON instance that hold what an application registered; the class SuperJSON itself has none. */
export interface SuperJsonRegistries {
  readonly classRegistry: {
    getIdentifier(of: never): string | undefined
    getValue(identifier: string): unknown
    getAllowedProps(of: never): string[] | undefined
  }
  readonly symbolRegistry: {
    getIdentifier(symbol: never): string | undefined
    getValue(identifier: string): unknown
  }
  readonly customTransformerRegistry: {
    findApplicable(value: never): { name: string; serialize(value: never): unknown } | undefined
    findByName(name: string): { deserialize(json: never): unknown } | undefined
  }
}

/**
 * The rich types, and before them what an application registered with a SuperJSON instance: classes, symbols and custom
 * transformers.
 *
 * @example
 * SuperJSON.registerCustom({ isApplicable: Decimal.isDecimal, serialize: String, deserialize: Decimal }, 'decimal')
 * createClient<Router>(url, { types: superjsonTypes(SuperJSON) })
 */
export const superjsonTypes = (given: SuperJsonRegistries | { readonly registerCustom: unknown }): RichTypes => {
  // The class itself registers with an instance that it keeps.
  const superjson =
    (given as { defaultInstance?: SuperJsonRegistries }).defaultInstance ?? (given as SuperJsonRegistries)
  return {
    flatten: (value, kind) => registered(superjson, value) ?? richTypes.flatten(value, kind),
    revive: (mark, json) => (typeof mark === 'string' ? richTypes.revive(mark, json) : revived(superjson, mark, json)),
  }
}

// The order of superjson's own rules: class, symbol, custom.
const registered = (superjson: SuperJsonRegistries, value: unknown): Flat | undefined => {
  const { classRegistry, symbolRegistry, customTransformerRegistry } = superjson
  const maker = (value as object | undefined)?.constructor as never
  const name = maker && classRegistry.getIdentifier(maker)
  if (name) {
    const allowed = classRegistry.getAllowedProps(maker)
    const source = value as Record<string, unknown>
    return [
      ['class', name],
      allowed ? Object.fromEntries(allowed.map((key) => [key, source[key]])) : { ...source },
      true,
    ]
  }
  const symbol = typeof value === 'symbol' && symbolRegistry.getIdentifier(value as never)
  if (symbol) return [['symbol', symbol], (value as unknown as symbol).description]
  const custom = customTransformerRegistry.findApplicable(value as never)
  return custom && [['custom', custom.name], custom.serialize(value as never), true]
}

const revived = (superjson: SuperJsonRegistries, [name, detail]: Exclude<Mark, string>, json: unknown): unknown => {
  const known =
    name === 'class'
      ? superjson.classRegistry.getValue(detail)
      : name === 'symbol'
        ? superjson.symbolRegistry.getValue(detail)
        : name === 'custom' && superjson.customTransformerRegistry.findByName(detail)
  if (!known) throw 0
  if (name === 'symbol') return known
  if (name === 'custom') return (known as { deserialize(json: unknown): unknown }).deserialize(json)
  // Own properties one by one: a key such as __proto__ stays a key.
  const instance = Object.create((known as { prototype: object }).prototype)
  for (const key of Object.keys(json as object))
    Object.defineProperty(instance, key, {
      value: (json as never)[key],
      writable: true,
      enumerable: true,
      configurable: true,
    })
  return instance
}
