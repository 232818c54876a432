import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { defineContract, mutation, query, subscription, type as typed } from './index.ts'

// What types refuse is refused again at run time.
const define = defineContract as (tree: any) => unknown

describe('a procedure', () => {
  it('is frozen data', () => {
    const input = z.string()
    const procedure = mutation({ input, errors: { GONE: null }, meta: { auth: true }, retry: 'once' })
    expect(procedure).toEqual({
      '~procedure': 'mutation',
      input,
      errors: { GONE: null },
      meta: { auth: true },
      retry: 'once',
    })
    expect(Object.isFrozen(procedure)).toBe(true)
    expect([query(), subscription({})]).toEqual([{ '~procedure': 'query' }, { '~procedure': 'subscription' }])
  })
})

describe('defineContract', () => {
  it('returns the tree it was given', () => {
    const tree = { a: query(), b: { c: { d: subscription() } }, default: query(), name: query(), 'with space': query() }
    expect(defineContract(tree)).toBe(tree)
  })

  it('takes schemas of any library, and contracts as namespaces', () => {
    const inner = defineContract({
      zod: query({ input: z.string() }),
      valibot: query({ input: v.string() }),
      arktype: query({ input: type('string') }),
      typed: query({ input: typed<string>() }),
    })
    expect(() => defineContract({ inner, nothing: Object.assign(Object.create(null), { a: query() }) })).not.toThrow()
  })

  for (const name of [
    'then',
    'catch',
    'finally',
    'constructor',
    'prototype',
    '__proto__',
    'toString',
    'valueOf',
    'toJSON',
    'bind',
    'call',
    'apply',
    'hasOwnProperty',
    '__defineGetter__',
    '',
    'a.b',
    '$a',
    '~a',
    '\ud800',
  ]) {
    it(`refuses the name ${JSON.stringify(name)}, wherever it stands`, () => {
      const named = Object.defineProperty({}, name, { value: query(), enumerable: true })
      expect(() => define(named)).toThrow(TypeError)
      expect(() => define({ files: named })).toThrow(`"files.${name}" cannot be part of a contract`)
    })
  }

  it('says the path, why, and what to do instead', () => {
    expect(() => define({ files: { then: query() } })).toThrow(
      '"files.then" cannot be part of a contract: JavaScript itself asks objects for "then", so a client cannot carry it. Choose another name.',
    )
    expect(() => define({ post: z.object({}) })).toThrow(
      '"post" cannot be part of a contract: it is a bare schema, neither a procedure nor a namespace. Write query(',
    )
  })

  it.each([
    ['null', null],
    ['of type undefined', undefined],
    ['of type function', () => {}],
    ['of type string', 'query'],
    ['an array', [query()]],
    ['an instance of Map', new Map()],
    ['an instance of Promise', Promise.resolve({})],
  ])('refuses what is %s', (what, value) => {
    expect(() => define({ a: value })).toThrow(`"a" cannot be part of a contract: it is ${what}`)
    expect(() => define(value)).toThrow(`This cannot be part of a contract: it is ${what}`)
  })

  it('refuses a key that is a symbol', () => {
    expect(() => define({ [Symbol('a')]: query() })).toThrow('Symbol(a)')
  })

  it('refuses definitions that are no schemas', () => {
    expect(() => define({ a: query({ input: String as never }) })).toThrow(
      '"a" cannot be part of a contract: its "input"',
    )
    expect(() => define({ a: query({ errors: { GONE: 1 as never } }) })).toThrow('its error GONE is of type number')
    expect(() => define({ a: query({ errors: { INTERNAL: null } }) })).toThrow('INTERNAL is raised by pairwire itself')
  })

  it('bounds paths, which also ends a circle', () => {
    const fits = { ['a'.repeat(256)]: query() }
    expect(() => define(fits)).not.toThrow()
    expect(() => define({ b: fits })).toThrow('longer than 256')
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(() => define(circle)).toThrow('longer than 256')
  })
})
