/** How one place in a value is marked: superjson's annotation, a name alone or a name with a detail. */
export type Mark = string | readonly [name: string, detail: string]

/** A rich value as JSON: its mark, what stands for it, and whether that has to be walked in turn. */
export type Flat = readonly [mark: Mark, json: unknown, deep?: boolean]

/** The kinds of value a codec knows beyond plain JSON and bytes. */
export interface RichTypes {
  /** None of them is a value that JSON has as it is: about those `flatten` need not be asked. */
  readonly richOnly?: true
  /** Undefined where the value is none of these types. `kind` is {@link kindOf} an object, else empty. */
  flatten(value: unknown, kind: string): Flat | undefined
  /** The way back. Throws on a mark it does not know and on JSON that does not fit the mark. */
  revive(mark: Mark, json: unknown): unknown
}

/** The name JavaScript itself has for an object's kind; unlike `instanceof` it holds across realms. */
export const kindOf = (value: object): string => ({}).toString.call(value).slice(8, -1)

/** Whether a value with nothing inside is in JSON what it is here. */
export const isLeaf = (value: unknown): boolean =>
  typeof value === 'number'
    ? value - value === 0 && (value !== 0 || 1 / value > 0)
    : typeof value === 'string' || typeof value === 'boolean' || value === null

// A BigInt costs time with the square of its digits; 16,384 take well under a millisecond.
const MAX_DIGITS = 16_384

/**
 * superjson's types: undefined, Date, Map, Set, BigInt, URL, RegExp, Error, NaN, the infinities and -0.
 */
export const richTypes: RichTypes = {
  richOnly: true,

  flatten(value, kind): Flat | undefined {
    if (value === undefined) return ['undefined', null]
    if (isLeaf(value)) return undefined
    if (typeof value === 'number') return ['number', value === 0 ? '-0' : `${value}`]
    if (typeof value === 'bigint') return ['bigint', `${value}`]
    switch (kind) {
      case 'Date':
        return ['Date', isLeaf((value as Date).getTime()) ? (value as Date).toISOString() : `${value}`]
      case 'Map':
        return ['map', [...(value as Map<unknown, unknown>)], true]
      case 'Set':
        return ['set', [...(value as Set<unknown>)], true]
      case 'URL':
        return ['URL', `${value}`]
      case 'RegExp':
        return ['regexp', `${value}`]
      case 'Error': {
        const { name, message, cause } = value as Error
        return ['Error', { name, message, ...(cause !== undefined && { cause }) }, true]
      }
    }
    return undefined
  },

  revive(mark, json) {
    switch (mark) {
      case 'undefined':
        return undefined
      case 'map':
        return new Map(json as [])
      case 'set':
        return new Set(json as [])
      case 'Error': {
        const { name, message } = json as Error
        // Of the JSON it takes the cause, if there is one.
        const error = new Error(`${message}`, json as Error)
        error.name = `${name}`
        return error
      }
    }
    if (typeof json === 'string') {
      switch (mark) {
        case 'Date':
          return new Date(json)
        case 'number':
          return Number(json)
        case 'URL':
          return new URL(json)
        case 'regexp': {
          const end = json.lastIndexOf('/')
          return new RegExp(json.slice(1, end), json.slice(end + 1))
        }
        case 'bigint':
          if (json.length <= MAX_DIGITS && /^-?\d+$/.test(json)) return BigInt(json)
      }
    }
    throw 0
  },
}
