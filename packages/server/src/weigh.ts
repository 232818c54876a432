/** What any value takes where it is kept, and what an object takes besides its contents. */
const SLOT = 8
const OBJECT = 24
/** Nodes that are looked at, and levels, before the rest is estimated: a value of any size is weighed in microseconds. */
const NODES = 2_000
const DEPTH = 64
/** Of one container. What is larger is sampled evenly. */
const SAMPLE = 256
/** A terabyte: sums of weights stay exact, whatever a value claims to be. */
const MAX = 2 ** 40

/** What is left of the work that one value may cause. */
interface Budget {
  nodes: number
  /** What was weighed already, so that circles end; a flat value needs none. */
  seen?: Set<object>
}

/**
 * About how many bytes of memory a value takes: cheap and good enough to bound a buffer by. Large values are estimated
 * from a part of them, and what cannot be looked into counts as an empty object. Never throws.
 */
export const weigh = (value: unknown): number => Math.min(Math.ceil(measure(value, { nodes: NODES }, 0)), MAX)

const measure = (value: unknown, budget: Budget, depth: number): number => {
  budget.nodes--
  if (typeof value === 'string') return SLOT + 2 * value.length
  if (typeof value === 'bigint') return SLOT + digits(value) / 2
  if (typeof value !== 'object' || value === null) return SLOT
  if (depth > 0) {
    budget.seen ??= new Set()
    if (budget.seen.has(value)) return SLOT
    budget.seen.add(value)
  }
  // A proxy or a getter may throw wherever it is touched.
  try {
    return SLOT + OBJECT + contents(value, budget, depth + 1)
  } catch {
    return SLOT + OBJECT
  }
}

const contents = (value: object, budget: Budget, depth: number): number => {
  // A view keeps all of its buffer.
  if (ArrayBuffer.isView(value)) return value.buffer.byteLength
  if (value instanceof ArrayBuffer) return value.byteLength
  if (depth > DEPTH) return 0
  if (Array.isArray(value)) return sampled(value.length, (i) => measure(read(value, i), budget, depth), budget)
  if (value instanceof Map) {
    const entries = value.entries()
    return sampled(
      value.size,
      () => {
        const [key, item] = entries.next().value as [unknown, unknown]
        return measure(key, budget, depth) + measure(item, budget, depth)
      },
      budget,
    )
  }
  if (value instanceof Set) {
    const items = value.values()
    return sampled(value.size, () => measure(items.next().value, budget, depth), budget)
  }
  const keys = Object.keys(value)
  if (keys.length > SAMPLE) return sampled(keys.length, (i) => property(value, keys[i]!, budget, depth), budget)
  // Most events are small records.
  let weight = 0
  let seen = 0
  for (; seen < keys.length && (budget.nodes > 0 || seen === 0); seen++)
    weight += property(value, keys[seen]!, budget, depth)
  return seen ? weight * (keys.length / seen) : 0
}

const property = (value: object, key: string, budget: Budget, depth: number): number =>
  2 * key.length + measure(read(value, key), budget, depth)

/** The weight of so many parts, by that of as many of them as may still be looked at. */
const sampled = (length: number, part: (index: number) => number, budget: Budget): number => {
  // Also where a proxy says that it is as long as NaN.
  if (!(length > 0)) return 0
  const step = Math.max(1, length / SAMPLE)
  let weight = 0
  let seen = 0
  // At least one, for the others' sake.
  for (let i = 0; i < length && (budget.nodes > 0 || seen === 0); i += step) {
    weight += part(Math.floor(i))
    seen++
  }
  return weight * (length / seen)
}

const read = (value: object, key: string | number): unknown => {
  try {
    return (value as Record<string | number, unknown>)[key]
  } catch {
    return undefined
  }
}

const digits = (value: bigint): number => (BigInt.asIntN(64, value) === value ? 16 : value.toString(16).length)
