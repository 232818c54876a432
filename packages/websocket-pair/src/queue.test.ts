import { expect, it } from 'vitest'
import { Queue } from './queue.ts'

it('gives back what came first, however long it grows', () => {
  const queue = new Queue<number>()
  let next = 0
  let expected = 0
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 50; i++) queue.push(next++)
    for (let i = 0; i < 40; i++) expect(queue.shift()).toBe(expected++)
  }
  expect(queue.length).toBe(next - expected)
  while (queue.length > 0) expect(queue.shift()).toBe(expected++)
  expect([expected, queue.shift()]).toEqual([next, undefined])
})
