import { RpcError } from '@pairwire/contract'
import { bytesOf, joinFrame, splitFrame, viewOf } from './bytes.ts'
import type { Codec, Encoded } from './codec.ts'
import { type Flat, isLeaf, kindOf, type Mark, type RichTypes } from './rich-types.ts'

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
const escapeKey = (key: string | number) =>
  /[\\.]/.test(key as string) ? (key as string).replace(/[\\.]/g, '\\$&') : key
const splitPath = (path: string): string[] =>
  path.includes('\\')
    ? `.${path}`.match(/\.(\\.?|[^\\.])*/gs)!.map((key) => key.slice(1).replace(/\\(.?)/gs, '$1'))
    : path.split('.')

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
    /** As JSON: the mark of the whole value; or those of places in what is being walked, a comma before each. */
    let marks = ''
    /** Of each level on the way, the key. A path is made of them only where there is a mark. */
    const keys: (string | number)[] = []
    const pathOf = (level: number, from: number): string => {
      const key = escapeKey(keys[level]!)
      return level - from > 1 ? `${pathOf(level - 1, from)}.${key}` : `${key}`
    }

    /** @param from the level of the enclosing mark, from which paths lead */
    const walk = (value: unknown, key: string | number, level: number, from: number): unknown => {
      if (types.richOnly && isLeaf(value)) return value
      keys[level] = key
      const isInner = isContainer(value)
      let flat: Flat | undefined
      if (!isInner || !types.richOnly) {
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
        if (!flat && !isInner) {
          if (isLeaf(value)) return value
          const name = isObject(value) ? (value.constructor?.name ?? kind) : typeof value
          throw fail(`a ${name}${level ? ` (at "${pathOf(level, 0)}")` : ''} is no plain data`)
        }
      }
      const before = marks
      let json = flat ? (flat[1] ?? null) : value
      if (flat) marks = ''
      if (flat ? flat[2] && isObject(json) : isInner) {
        if (level === maxDepth) throw fail(`circular, or deeper than ${maxDepth} levels (at "${pathOf(level, 0)}")`)
        const step = (value: unknown, key: string | number) => walk(value, key, level + 1, flat ? level : from)
        // Copies, for which a getter is asked once. By spreading, holes are filled and a key such as __proto__ is its own.
        if (Array.isArray(json)) json = [...json].map(step)
        else {
          const copy: Record<string, unknown> = { ...(json as object) }
          for (const key in copy) {
            const value = step(copy[key], key)
            // To write what is there already is the dearest part of it.
            if (value !== copy[key]) copy[key] = value
          }
          json = copy
        }
      }
      if (flat) {
        marks = `[${JSON.stringify(flat[0])}${marks && `,{${marks.slice(1)}}`}]`
        if (level) marks = `${before},${JSON.stringify(pathOf(level, from))}:${marks}`
      }
      return json
    }

    const json = JSON.stringify(walk(value, '', 0, 0))
    if (marks[0] === ',') marks = `{${marks.slice(1)}}`
    return bytes.length ? { json, marks, bytes, length } : { json, marks }
  }

  const child = (node: unknown, key: string): unknown => {
    if (!isContainer(node) || !Object.hasOwn(node, key) || (key === 'length' && Array.isArray(node))) throw 0
    return node[key as never]
  }
  const revive = (marks: unknown, node: unknown, depth: number, bytes: (part: unknown) => Uint8Array): unknown => {
    if (!isObject(marks) || !depth) throw 0
    const [mark, inner] = Array.isArray(marks) ? marks : [undefined, marks]
    // Neighbours have the same path up to the last dot, and so the same parent.
    let around: string | undefined
    let parent: unknown
    // Inner places first, so that what stands around them is still the JSON that their paths were made for.
    for (const path in inner) {
      const way = path.slice(0, path.lastIndexOf('.') + 1)
      let last = path.slice(way.length)
      if (around !== way || path.includes('\\')) {
        const keys = splitPath(path)
        last = keys.pop()!
        parent = keys.reduce(child, node)
        around = way
      }
      ;(parent as Record<string, unknown>)[last] = revive(inner[path], child(parent, last), depth - 1, bytes)
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
      let left = bytes?.length as number
      try {
        return revive(marks, json, maxDepth + 1, (part) => {
          left -= (part as [number, number])[1]
          if (!(left >= 0)) throw 0
          return bytes!
        })
      } catch {
        throw fail('malformed, or a type unknown here')
      }
    },
    keep({ bytes }) {
      if (bytes) joinFrame('', bytes)
    },
    join: joinFrame,
    split: (frame) => (typeof frame === 'string' ? undefined : splitFrame(frame as ArrayBuffer)),
  }
}
