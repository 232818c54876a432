import { RpcError } from '@pairwire/contract'
import { bytesOf, joinFrame, splitFrame, viewOf } from './bytes.ts'
import type { Codec, Encoded } from './codec.ts'
import { type Flat, kindOf, type Mark, type RichTypes } from './rich-types.ts'

/** superjson's tree of annotations: the mark of this place and those inside it, or places below by their path. */
export type Marks = readonly [mark: Mark, inner?: Places] | Places
type Places = { [path: string]: Marks }

const fail = (message: string) => new RpcError('INVALID_ARGUMENT', message, { executed: 'no' })
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** A list, or a plain object of any realm: its prototype is nobody's heir. */
const isContainer = (value: unknown): value is object => {
  if (!isObject(value)) return false
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return !prototype || !Object.getPrototypeOf(prototype)
}

/** Whether a value with nothing inside is in JSON what it is here. */
const isLeaf = (value: unknown) =>
  typeof value === 'number'
    ? value - value === 0 && (value !== 0 || 1 / value > 0)
    : typeof value === 'string' || typeof value === 'boolean' || value === null

/** Whether JSON.stringify carries a value exactly as it is, and no deeper than `depth` levels. */
const isPlain = (value: unknown, depth: number): boolean => {
  if (isLeaf(value)) return true
  if (!depth || !isContainer(value)) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth - 1)) return false
    return true
  }
  for (const key in value) if (!isPlain(value[key as never], depth - 1)) return false
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
const escapeKey = (key: string) => (/[\\.]/.test(key) ? key.replace(/[\\.]/g, '\\$&') : key)
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

    // `parent` is the path from the root to what this is in, `base` how much of it the enclosing mark already stands for.
    const walk = (
      value: unknown,
      parent: string,
      key: string,
      places: Places,
      base: number,
      depth: number,
    ): unknown => {
      const isInner = isContainer(value)
      const isJson = isInner || isLeaf(value)
      const isSure = isJson && types.richOnly
      if (isSure && !isInner) return value
      const at = parent + escapeKey(key)
      const isRoot = depth === maxDepth
      let flat: Flat | undefined
      if (!isSure) {
        const kind = isObject(value) ? kindOf(value) : ''
        const raw = bytesOf(kind, value)
        if (raw) {
          flat = [
            ['bytes', kind],
            [length, raw.length],
          ]
          bytes.push(raw)
          length += raw.length
        } else flat = types.flatten(value, kind)
        if (!flat && !isJson) {
          const name = isObject(value) ? (value.constructor?.name ?? kind) : typeof value
          throw fail(`a ${name}${isRoot ? '' : ` (at "${at}")`} is no plain data`)
        }
      }
      const inner: Places = flat ? Object.create(null) : places
      let json = flat ? (flat[1] ?? null) : value
      if (flat ? flat[2] && isObject(json) : isInner) {
        if (!depth) throw fail(`circular, or deeper than ${maxDepth} levels (at "${at}")`)
        const path = isRoot ? '' : `${at}.`
        const start = flat ? path.length : base
        // Copies, for which a getter is asked once. By spreading, holes are filled and a key such as __proto__ is its own.
        if (Array.isArray(json)) {
          const copy = [...json]
          for (let i = 0; i < copy.length; i++) copy[i] = walk(copy[i], path, `${i}`, inner, start, depth - 1)
          json = copy
        } else {
          const copy: Record<string, unknown> = { ...(json as object) }
          for (const key of Object.keys(copy)) copy[key] = walk(copy[key], path, key, inner, start, depth - 1)
          json = copy
        }
      }
      if (flat) {
        const marks: Marks = Object.keys(inner).length ? [flat[0], inner] : [flat[0]]
        if (isRoot) root = marks
        else places[at.slice(base)] = marks
      }
      return json
    }

    const json = JSON.stringify(walk(value, '', '', root as Places, 0, maxDepth))
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
    keep({ bytes }) {
      bytes?.forEach((part, i) => {
        bytes[i] = part.slice()
      })
    },
    join: joinFrame,
    split: (frame) => (typeof frame === 'string' ? undefined : splitFrame(new Uint8Array(frame as ArrayBuffer))),
  }
}
