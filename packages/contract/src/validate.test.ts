import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { isValidationError, RpcError, type Schema, type StandardSchemaV1, type as typed, validate } from './index.ts'

const schemas: Record<string, Schema> = {
  zod: z.object({ user: z.object({ tags: z.array(z.string()) }) }),
  valibot: v.object({ user: v.object({ tags: v.array(v.string()) }) }),
  arktype: type({ user: { tags: 'string[]' } }),
}

describe('validate', () => {
  it.each(Object.entries(schemas))('returns the value of a %s schema without a promise', (_, schema) => {
    expect(validate(schema, { user: { tags: ['a'] } })).toMatchObject({ value: { user: { tags: ['a'] } } })
  })

  it.each(Object.entries(schemas))('returns the issues of a %s schema as plain data', (_, schema) => {
    const result = validate(schema, { user: { tags: ['a', 1] } }) as { issues: unknown }
    expect(result).toEqual({ issues: [{ message: expect.any(String), path: ['user', 'tags', 1] }] })
    expect(JSON.parse(JSON.stringify(result))).toEqual(result)
    expect(Object.getPrototypeOf(result.issues)).toBe(Array.prototype)
  })

  it('returns what the schema makes of the value', () => {
    expect(validate(z.string().transform(Number), '1')).toEqual({ value: 1 })
  })

  it('returns a promise only for an asynchronous schema', async () => {
    const even = z.number().refine(async (n) => n % 2 === 0)
    const result = validate(even, 2)
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toEqual({ value: 2 })
    expect(await validate(even, 1)).toEqual({ issues: [{ message: expect.any(String) }] })
  })

  it('leaves a value alone whose type is all that is known', () => {
    const value = { any: () => 1 }
    expect(validate(typed<object>(), value)).toEqual({ value })
  })

  it('reports a hundred issues at most', () => {
    const result = validate(z.array(z.string()), Array(1_000).fill(1))
    expect((result as { issues: unknown[] }).issues).toHaveLength(100)
  })

  it('makes text of messages and keys that are not', () => {
    const odd: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 1 as never, path: [Symbol('s'), { key: 'k' }, { key: 0 }] }] }),
      },
    }
    expect(validate(odd, 1)).toEqual({ issues: [{ message: '1', path: ['Symbol(s)', 'k', 0] }] })
  })
})

describe('isValidationError', () => {
  it('knows the error of invalid input from others of its code', () => {
    expect(isValidationError(new RpcError('INVALID_ARGUMENT', '', { data: { issues: [] } }))).toBe(true)
    expect(isValidationError(new RpcError('INVALID_ARGUMENT'))).toBe(false)
    expect(isValidationError(undefined)).toBe(false)
  })
})
