import { type RefusedName, type RefusedNames, refusal } from './name.ts'
import type { AnyProcedure } from './procedure.ts'

/** A contract: procedures by name, in namespaces that nest freely. */
export interface Contract extends RefusedNames {
  readonly [name: `$${string}` | `~${string}` | `${string}.${string}`]: RefusedName
  readonly [name: string]: ContractNode
}

// No more than the tag: what else stood here, `query` and its siblings would infer for whatever a definition leaves out.
export type ContractNode = Pick<AnyProcedure, '~procedure'> | Contract | RefusedName | undefined

/** The longest path of a procedure, in characters with its dots: a peer refuses longer ones unread. */
const MAX_PATH = 256

/**
 * Checks a contract and returns it unchanged. Namespaces are plain objects and may be contracts themselves.
 *
 * @throws TypeError that names the path, for a name that a client cannot carry, a path longer than 256 characters, or
 * something that is neither a procedure nor a namespace
 * @example
 * export const chat = defineContract({
 *   post: mutation({ input: z.object({ text: z.string() }), output: Message }),
 *   files: { list: query({ output: z.array(z.string()) }) },
 * })
 */
export const defineContract = <C extends Contract>(tree: C): C => {
  checkNamespace(tree, '')
  return tree
}

const checkNamespace = (tree: unknown, path: string): void => {
  if (!isPlain(tree)) throw refuse(path, `it is ${describe(tree)}, neither a procedure nor a namespace`, WRITE)
  for (const name of Reflect.ownKeys(tree)) {
    if (typeof name === 'symbol') {
      if (name === Symbol.toStringTag) continue // an imported module has one
      throw refuse(path, `it has ${String(name)} as a key`, 'Names are strings')
    }
    const inner = path ? `${path}.${name}` : name
    const reason = refusal(name)
    if (reason) throw refuse(inner, reason, 'Choose another name')
    if (inner.length > MAX_PATH)
      throw refuse(`${inner.slice(0, 64)}…`, `its path is longer than ${MAX_PATH}`, 'Nest less')
    const node = (tree as Record<string, unknown>)[name]
    if (isProcedure(node)) checkProcedure(node, inner)
    else checkNamespace(node, inner)
  }
}

const checkProcedure = (procedure: AnyProcedure, path: string): void => {
  const { input, output, inputStream, errors } = procedure
  for (const [key, schema] of Object.entries({ input, output, inputStream })) {
    if (schema !== undefined && !isSchema(schema)) throw refuse(path, `its "${key}" is ${describe(schema)}`, SCHEMA)
  }
  for (const [code, schema] of Object.entries(errors ?? {})) {
    if (code === 'INTERNAL' || code === 'INVALID_ARGUMENT') {
      throw refuse(path, `${code} is raised by pairwire itself, with data of its own`, 'Declare another code')
    }
    if (schema !== null && !isSchema(schema)) {
      throw refuse(path, `its error ${code} is ${describe(schema)}`, `${SCHEMA}, or null for an error without data`)
    }
  }
}

const WRITE = 'Write query({ … }), mutation({ … }) or subscription({ … }), or an object of those'
const SCHEMA = 'Use a Standard Schema (zod, valibot, arktype, … or type<T>())'

const refuse = (path: string, why: string, what: string): TypeError =>
  new TypeError(`${path ? `"${path}"` : 'This'} cannot be part of a contract: ${why}. ${what}.`)

/** Whether a value is a procedure, as `query`, `mutation` and `subscription` make them. */
export const isProcedure = (value: unknown): value is AnyProcedure =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '~procedure')

const isSchema = (value: unknown): boolean => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as { '~standard'?: { validate?: unknown } })['~standard']
  return typeof standard?.validate === 'function'
}

// Of any realm: its prototype is null, or one whose own prototype is null.
const isPlain = (value: unknown): value is object => {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const describe = (value: unknown): string => {
  if (isSchema(value)) return 'a bare schema'
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `of type ${typeof value}`
  return `an instance of ${Object.getPrototypeOf(value)?.constructor?.name || 'a class'}`
}
