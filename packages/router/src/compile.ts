import { type AnyProcedure, checksNothing, type ErrorSchemas, isProcedure, type Schema } from '@pairwire/contract'
import { checkEvent } from './check-event.ts'
import { errorConstructors } from './errors.ts'
import { expose } from './expose.ts'
import type { Middleware } from './middleware.ts'
import type { AnyHandler, Check, Route } from './route.ts'

/** The routes of a router by which one is mounted in another; undefined for anything that is no router. */
export type RoutesOf = (value: unknown) => ReadonlyMap<string, Route> | undefined

/**
 * Joins a contract with its handlers: one flat map, made once.
 *
 * @throws TypeError that names the path, where a handler is missing, too many or no handler
 */
export const compile = (
  contract: object,
  handlers: unknown,
  middlewares: readonly Middleware[],
  routesOf: RoutesOf,
): Map<string, Route> => {
  const routes = new Map<string, Route>()

  const walk = (contract: object, handlers: unknown, path: string): void => {
    const mounted = routesOf(handlers)
    if (mounted) {
      mount(contract, mounted, path)
      return
    }
    if (typeof handlers !== 'object' || handlers === null) {
      throw new TypeError(`${quote(path)} is a namespace of the contract: give it an object of handlers, or a router`)
    }
    const given = handlers as Record<string, unknown>
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(contract, name)) {
        throw new TypeError(`${quote(join(path, name))} has a handler, but the contract has no such procedure`)
      }
    }
    for (const [name, node] of Object.entries(contract)) {
      const inner = join(path, name)
      // Own properties only: what an object inherits was not meant as a handler.
      const handler = Object.hasOwn(given, name) ? given[name] : undefined
      if (handler === undefined) throw new TypeError(`${quote(inner)} is in the contract, but has no handler`)
      if (!isProcedure(node)) walk(node, handler, inner)
      else if (typeof handler === 'function')
        routes.set(inner, createRoute(inner, node, handler as AnyHandler, middlewares))
      else throw new TypeError(`The handler of ${quote(inner)} is not a function`)
    }
  }

  const mount = (contract: object, mounted: ReadonlyMap<string, Route>, path: string): void => {
    const expected = new Map(procedures(contract, ''))
    for (const [name, route] of mounted) {
      const inner = join(path, name)
      if (expected.get(name) !== route.procedure) {
        throw new TypeError(`The router at ${quote(path)} implements another contract: see ${quote(inner)}`)
      }
      expected.delete(name)
      routes.set(inner, { ...route, path: inner, middlewares: [...middlewares, ...route.middlewares] })
    }
    for (const name of expected.keys()) {
      throw new TypeError(
        `The router at ${quote(path)} implements another contract: it lacks ${quote(join(path, name))}`,
      )
    }
  }

  walk(contract, handlers, '')
  return routes
}

const createRoute = (
  path: string,
  procedure: AnyProcedure,
  handler: AnyHandler,
  middlewares: readonly Middleware[],
): Route => ({
  path,
  kind: procedure['~procedure'],
  procedure,
  takesStream: procedure.inputStream !== undefined,
  retry: procedure.retry,
  input: toCheck(procedure.input),
  output: toCheck(procedure.output),
  item: toCheck(procedure.inputStream),
  errors: (procedure.errors as ErrorSchemas | undefined) ?? {},
  makeError: errorConstructors(procedure.errors as ErrorSchemas | undefined),
  middlewares,
  handler,
  check(event) {
    return checkEvent(this.output, event)
  },
  expose(error, call) {
    return expose(error, this, call, 'yes')
  },
})

const toCheck = (schema: unknown): Check => (checksNothing(schema) ? null : (schema as Schema | undefined))

function* procedures(contract: object, path: string): Generator<[string, AnyProcedure]> {
  for (const [name, node] of Object.entries(contract)) {
    if (isProcedure(node)) yield [join(path, name), node]
    else yield* procedures(node, join(path, name))
  }
}

const join = (path: string, name: string): string => (path ? `${path}.${name}` : name)

const quote = (path: string): string => (path ? `"${path}"` : 'The root')
