/**
 * How many bytes V8's structured clone format (version 15) takes for a value that has already been cloned.
 *
 * Counted and not serialized, because browsers have no function for it and Bun's gives another format. Exact for plain
 * data, dates, maps, sets, buffers and views. A few bytes short where V8 holds an array as
 * having had holes or an integer as a double, which cannot be seen from outside, and about right for errors, whose stack differs from runtime to runtime.
 */
export function serializedSize(value: unknown): number {
  return 2 + new Sizer().value(value, 2)
}

class Sizer {
  readonly #seen = new Map<object, number>()

  /** `at` is where the value begins: two-byte strings are aligned to even places. */
  value(value: unknown, at: number): number {
    switch (typeof value) {
      case 'string':
        return stringSize(value, at)
      case 'number':
        return numberSize(value)
      case 'bigint':
        return bigintSize(value)
      case 'object':
        return value === null ? 1 : this.#object(value, at)
      default:
        return 1
    }
  }

  #object(value: object, at: number): number {
    // a view writes its buffer first, and so the buffer gets its number first
    if (ArrayBuffer.isView(value)) return this.#view(value, at)
    const id = this.#seen.get(value)
    if (id !== undefined) return 1 + varint(id)
    this.#seen.set(value, this.#seen.size)
    if (Array.isArray(value)) return this.#array(value, at)
    switch (Object.prototype.toString.call(value).slice(8, -1)) {
      case 'Date':
        return 9
      case 'Boolean':
        return 1
      case 'Number':
        return 9
      case 'BigInt':
        return bigintSize((value as { valueOf(): bigint }).valueOf())
      case 'String':
        return 1 + stringSize(String(value), at + 1)
      case 'RegExp':
        return 1 + stringSize((value as RegExp).source, at + 1) + 1
      case 'ArrayBuffer':
        return 1 + varint((value as ArrayBuffer).byteLength) + (value as ArrayBuffer).byteLength
      case 'Map':
        return this.#all([...(value as Map<unknown, unknown>)].flat(1), at)
      case 'Set':
        return this.#all([...(value as Set<unknown>)], at)
      case 'Error':
        return this.#error(value as Error, at)
      default:
        return 1 + this.#entries(Object.entries(value), at + 1)
    }
  }

  #view(view: ArrayBufferView, at: number): number {
    const id = this.#seen.get(view)
    if (id !== undefined) return 1 + varint(id)
    const buffer = this.#object(view.buffer, at)
    this.#seen.set(view, this.#seen.size)
    return buffer + 2 + varint(view.byteOffset) + varint(view.byteLength) + 1
  }

  #array(array: unknown[], at: number): number {
    const dense = Object.keys(array).filter((key) => isIndex(key)).length === array.length
    let size = 1 + varint(array.length)
    // an array of numbers with one that is no small integer is held, and written, as doubles
    if (dense && isDoubles(array)) size += 9 * array.length
    else if (dense) for (const item of array) size += this.value(item, at + size)
    const named = Object.entries(array).filter(([key]) => !dense || !isIndex(key))
    return size + this.#entries(named, at + size) + varint(array.length)
  }

  #all(items: unknown[], at: number): number {
    let size = 1
    for (const item of items) size += this.value(item, at + size)
    return size + 1 + varint(items.length)
  }

  #entries(entries: [string, unknown][], at: number): number {
    let size = 0
    for (const [key, value] of entries) {
      size += isIndex(key) ? numberSize(Number(key)) : stringSize(key, at + size)
      size += this.value(value, at + size)
    }
    return size + 1 + varint(entries.length)
  }

  #error(error: Error, at: number): number {
    let size = 3
    for (const text of [error.message, error.stack ?? '']) size += 1 + stringSize(text, at + size)
    return size
  }
}

function isIndex(key: string): boolean {
  return String(Number(key) >>> 0) === key && key !== '4294967295'
}

function varint(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 128; rest /= 128) bytes++
  return bytes
}

function stringSize(text: string, at: number): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is that of one-byte strings
  if (/^[\u0000-\u00ff]*$/.test(text)) return 1 + varint(text.length) + text.length
  const bytes = text.length * 2
  const head = 1 + varint(bytes)
  return ((at + head) % 2) + head + bytes
}

function isDoubles(array: readonly unknown[]): boolean {
  return array.every((item) => typeof item === 'number') && !array.every(isSmall)
}

function isSmall(value: number): boolean {
  return Number.isInteger(value) && !Object.is(value, -0) && value >= -(2 ** 30) && value < 2 ** 30
}

function numberSize(value: number): number {
  return isSmall(value) ? 1 + varint(value < 0 ? -2 * value - 1 : 2 * value) : 9
}

function bigintSize(value: bigint): number {
  const digits = (value < 0n ? -value : value).toString(16).length
  const bytes = value === 0n ? 0 : Math.ceil(digits / 16) * 8
  return 1 + varint(bytes * 2) + bytes
}
