import { expectType } from './expect-type.test-d.ts'
import { cursor, Tracked, tracked } from './index.ts'

expectType<Tracked<{ n: number }>>()(tracked('1', { n: 1 }))
expectType<Tracked<never>>()(cursor('1'))
expectType<boolean>()(cursor('1').bare)

// It stands wherever an event with an id does, whatever the events are.
const events: Tracked<{ n: number }>[] = [tracked('1', { n: 1 }), cursor('2')]
expectType<number>()(events[0]!.data.n)
new Tracked('1', 1)
// @ts-expect-error an id is a string
cursor(1)
// @ts-expect-error read only
cursor('1').bare = false
