/**
 * What a subscriber of a presence is told: everybody once, then who comes and goes. `all` takes the place of everything
 * before it; it comes first, and again where a subscriber has missed too much.
 *
 * @example
 * switch (event.type) {
 *   case 'all': people = new Map(event.members.map((member) => [member.id, member])); break
 *   case 'leave': people.delete(event.member.id); break
 *   default: people.set(event.member.id, event.member)
 * }
 */
export type PresenceEvent<M> =
  | { readonly type: 'all'; readonly members: M[] }
  /** Somebody who was not there before. */
  | { readonly type: 'join'; readonly member: M }
  /** Somebody who was there is shown as something else. */
  | { readonly type: 'update'; readonly member: M }
  /** Somebody whose last connection is gone. */
  | { readonly type: 'leave'; readonly member: M }
