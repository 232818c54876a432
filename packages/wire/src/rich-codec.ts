import { RpcError } from '@pairwire/contract'
import { bytesOf, joinFrame, splitFrame, viewOf } from './bytes.ts'
import type { Codec, Encoded } from './codec.ts'
import { kindOf, type Mark, type RichTypes } from './rich-types.ts'

/** superjson's tree of annotations: the mark of this place and those inside it, or places below by their path. */
export type Marks = readonly [mark: Mark, inner?: Places] | Places
type Places = { [path: string]: Marks }

const fail = (message: string) => new RpcError('INVALID_ARGUMENT', message, { executed: 'no' })
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** A plain object of any realm: its prototype is nobody's heir. */
const isRecord = (value: object) => {
  const prototype = Object.getPrototypeOf(value)
  return !prototype || !Object.getPrototypeOf(prototype)
}

/** Whether JSON.stringify carries a value exactly as it is, and no deeper than `depth` levels. */
const isPlain = (value: unknown, depth: number): boolean => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return value - value === 0 && (value !== 0 || 1 / value > 0)
  if (!isObject(value) || !depth) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth - 1)) return false
    return true
  }
  if (!isRecord(value)) return false
  for (const key in value) if (!isPlain(value[key], depth - 1)) return false
  return true
}

/** Whether parsed JSON is nested deeper than `depth` levels. */
const isDeeper = (value: unknown, depth: number): boolean => {
  if (!isObject(value)) return false
  if (!depth) return true
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (isDeeper(value[i], depth - 1)) return true
    return false
  }
  for (const key in value) if (isDeeper(value[key], depth - 1)) return true
  return false
}

// Paths are superjson's: keys joined by dots, with a backslash before a dot or backslash of a key.
const escapeKey = (key: string) => key.replace(/[\\.]/g, '\\$&')
const splitPath = (path: string): string[] => {
  const keys: string[] = []
  let key = ''
  for (let i = 0; i < path.length; i++) {
    if (path[i] === '.') {
      keys.push(key)
      key = ''
    } else key += path[i] === '\\' ? (path[++i] ?? '') : path[i]
  }
  return [...keys, key]
}

/**
 * The codec of pairwire: superjson's data model, with bytes kept out of the JSON.
 *
 * Plain JSON takes a path of its own and carries no marks. A rich value is walked once: what JSON lacks is replaced,
 * and marked at its path in superjson's own notation. Decoding touches own, enumerable properties only, so that no
 * path from the wire reaches a prototype.
 *
 * @param maxDepth levels of nesting in one value
 */
export const createRichCodec = (maxDepth: number, types: RichTypes): Codec => {
  const encodeRich = (value: unknown): Encoded => {
    const bytes: Uint8Array[] = []
    let length = 0
    let root: Marks = Object.create(null) as Places

    // `at` is the path from the root, `base` how much of it the enclosing mark already stands for.
    const walk = (value: unknown, at: string | undefined, places: Places, base: number, depth: number): unknown => {
      const kind = isObject(value) ? kindOf(value) : ''
      const raw = bytesOf(kind, value)
      const flat = raw
        ? ([
            ['bytes', kind],
            [length, raw.length],
          ] as const)
        : types.flatten(value, kind)
      if (raw) {
        bytes.push(raw)
        length += raw.length
      }
      const inner: Places = flat ? Object.create(null) : places
      let json = flat ? (flat[1] ?? null) : value
      if (isObject(json) && (flat ? flat[2] : Array.isArray(json) || isRecord(json))) {
        if (!depth) throw fail(`circular, or deeper than ${maxDepth} levels (at "${at}")`)
        const start = flat ? (at === undefined ? 0 : at.length + 1) : base
        const step = (key: string, item: unknown) =>
          walk(item, at === undefined ? escapeKey(key) : `${at}.${escapeKey(key)}`, inner, start, depth - 1)
        if (Array.isArray(json)) json = Array.from(json, (item, i) => step(`${i}`, item))
        else {
          // Without a prototype a key such as __proto__ is a key like any other.
          const copy = Object.create(null)
          for (const key of Object.keys(json)) copy[key] = step(key, (json as Places)[key])
          json = copy
        }
      } else if (!flat && !isPlain(value, 0)) {
        const name = isObject(value) ? (value.constructor?.name ?? kind) : typeof value
        throw fail(`a ${name}${at === undefined ? '' : ` (at "${at}")`} is no plain data`)
      }
      if (flat) {
        const marks: Marks = Object.keys(inner).length ? [flat[0], inner] : [flat[0]]
        if (at === undefined) root = marks
        else places[at.slice(base)] = marks
      }
      return json
    }

    const json = JSON.stringify(walk(value, undefined, root as Places, 0, maxDepth))
    const marks = JSON.stringify(root)
    return bytes.length ? { json, marks, bytes, length } : { json, marks }
  }

  const child = (node: unknown, key: string): unknown => {
    if (!isObject(node) || !Object.prototype.propertyIsEnumerable.call(node, key)) throw 0
    return node[key]
  }
  const revive = (marks: unknown, node: unknown, depth: number, bytes: (part: unknown) => Uint8Array): unknown => {
    if (!isObject(marks) || !depth) throw 0
    const [mark, inner] = Array.isArray(marks) ? marks : [undefined, marks]
    // Inner places first, so that what stands around them is still the JSON that their paths were made for.
    for (const path in inner) {
      const keys = splitPath(path)
      const last = keys.pop()!
      const parent = keys.reduce(child, node)
      ;(parent as Places)[last] = revive(inner[path], child(parent, last), depth - 1, bytes) as Marks
    }
    if (mark === undefined) return node
    return mark[0] === 'bytes' ? viewOf(mark[1], node, bytes(node)) : types.revive(mark, node)
  }

  return {
    name: 'rich',
    encode: (value) =>
      value === undefined
        ? { json: '' }
        : isPlain(value, maxDepth)
          ? { json: JSON.stringify(value) }
          : encodeRich(value),
    decode(json, marks, bytes) {
      if (isDeeper(json, maxDepth)) throw fail(`deeper than ${maxDepth} levels`)
      if (marks === undefined) return json
      // Each byte is for one place: else a short text could ask for the same bytes many times over.
      let left = bytes?.length ?? 0
      try {
        return revive(marks, json, maxDepth + 1, (part) => {
          left -= (part as [number, number])[1]
          if (!(left >= 0)) throw 0
          return bytes!
        })
      } catch {
        throw fail('malformed marks, or a type that is not registered here')
      }
    },
    keep({ bytes = [] }) {
      for (const [i, part] of bytes.entries()) bytes[i] = part.slice()
    },
    join: joinFrame,
    split: (frame) => (typeof frame === 'string' ? undefined : splitFrame(new Uint8Array(frame as ArrayBuffer))),
  }
}
