const HUES = 6

/** Who has which, and how many have each. */
const chosen = new Map<string, number>()
const counts = Array.from({ length: HUES }, () => 0)

/**
 * One of the colours of `styles/tokens.css`: the same for one person as long as the page is open, and another one than
 * anybody else's, as long as there are enough.
 */
export const hue = (id: string): string => `var(--hue-${chosen.get(id) ?? choose(id)})`

const choose = (id: string): number => {
  let sum = 0
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0
  const fewest = Math.min(...counts)
  let slot = sum % HUES
  while (counts[slot]! > fewest) slot = (slot + 1) % HUES
  // Who is not known yet has no id, and will have one.
  if (id) {
    chosen.set(id, slot)
    counts[slot]!++
  }
  return slot
}
